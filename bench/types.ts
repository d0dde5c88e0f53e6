import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { table } from './ratios.js';

/** How many handlers a program has. */
const handlers = 100;

const wrappers = [
  'withClientErrors',
  'withOrdering',
  'withRequestId',
  'withChannelSession',
  'withHttpSession',
  'withUserFromToken',
  'withChannelUser',
  'withAuthenticatedUser',
] as const;

const head = `import {
  ChannelServer, compose, type HasChannelSession, type HasUser, type ReceiveMessage, ${wrappers.join(', ')}
} from 'ws-with';\n`;
const body = `message.channel.sendJson({ to: message.user.id, count: message.channelSession.get('count'), said: message.text })`;
/** What a handler declares where so many wrappers are written one around the other: types pass on as far as four deep. */
const declared = 'ReceiveMessage & HasChannelSession & HasUser';

/** One handler of each program, which all have as many. */
const programs = [
  { name: 'without wrappers', source: '(message) => message.channel.sendJson({ said: message.text })' },
  {
    name: `${wrappers.length} wrappers, one around the other`,
    source: `${wrappers.join('(')}((message: ${declared}) => ${body}${')'.repeat(wrappers.length)}`,
  },
  { name: `${wrappers.length} wrappers, compose`, source: `compose(${wrappers.join(', ')})((message) => ${body})` },
] as const;

const figures = ['Instantiations', 'Types', 'Memory used', 'Check time'] as const;

/** What the compiler says that it took to check `count` handlers. */
async function check(folder: string, source: string, count: number): Promise<Map<string, string>> {
  const file = join(folder, 'handlers.ts');
  await writeFile(file, head + Array.from({ length: count }, () => `new ChannelServer({ receive: ${source} });\n`).join(''));
  const compiler = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');
  const flags = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--skipLibCheck',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--extendedDiagnostics',
  ];
  const { stdout } = await promisify(execFile)(process.execPath, [compiler, ...flags, file]);
  return new Map([...stdout.matchAll(/^(.+):\s+(\S+)$/gm)].map(([, name = '', value = '']) => [name, value]));
}

/** Has the compiler check programs of many wrapped handlers; returns the report. */
export async function measureTypes(): Promise<string> {
  // below the package, whose name is resolved from there
  const folder = await mkdtemp(fileURLToPath(new URL('types-', import.meta.url)));
  try {
    const one = await check(folder, programs[0].source, 1);
    const rows = [['1 handler, without wrappers', ...figures.map((figure) => one.get(figure) ?? '')]];
    for (const { name, source } of programs) {
      const measured = await check(folder, source, handlers);
      rows.push([`${handlers} handlers, ${name}`, ...figures.map((figure) => measured.get(figure) ?? '')]);
    }
    return `## What the compiler takes\n\n${table(['program', ...figures], rows)}`;
  } finally {
    await rm(folder, { recursive: true });
  }
}
