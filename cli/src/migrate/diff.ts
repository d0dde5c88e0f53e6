import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff';
import { printable } from '../printable.js';

const red = '\u001b[31m';
const green = '\u001b[32m';
const cyan = '\u001b[36m';
const bold = '\u001b[1m';
const plain = '\u001b[0m';

/** A unified diff of a file, which `git apply` and `patch -p1` take; in colour for a terminal. */
export function diffOf(path: string, before: string, after: string, colour: boolean): string {
  const lines = createTwoFilesPatch(`a/${path}`, `b/${path}`, before, after, undefined, undefined, {
    context: 3,
    headerOptions: FILE_HEADERS_ONLY,
  })
    .replace(/\n$/, '')
    .split('\n');
  return lines.map((line, index) => (colour ? painted(shown(line), colourOf(line, index)) : shown(line))).join('\n');
}

function painted(line: string, colour: string): string {
  return colour === '' ? line : `${colour}${line}${plain}`;
}

function colourOf(line: string, index: number): string {
  if (index < 2) return bold;
  if (line.startsWith('@@')) return cyan;
  if (line.startsWith('+')) return green;
  return line.startsWith('-') ? red : '';
}

/** What a terminal would act on is shown; tabs and the end of a line are as they are. */
function shown(line: string): string {
  const end = line.endsWith('\r') ? '\r' : '';
  return (
    line
      .slice(0, line.length - end.length)
      .split('\t')
      .map(printable)
      .join('\t') + end
  );
}
