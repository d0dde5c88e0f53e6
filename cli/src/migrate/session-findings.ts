import type { Node } from 'oxc-parser';
import type { Context } from './context.js';
import { type Finding, findingAt } from './finding.js';
import { type HttpOptions, isRepeatable } from './http-options.js';
import type { Reads } from './http-session-reads.js';
import type { Mention } from './ws-with-names.js';

/** The handlers that a wrapper is put around. */
export interface Handled {
  /** Whether all of them are in sight. */
  readonly isSeen: boolean;
  readonly reads: Reads;
}

/** What was dropped, and what to give in its place. */
export function optionFindings({ source }: Context, options: readonly HttpOptions[], keepsSessions: boolean): Finding[] {
  return options.flatMap(({ dropped, sessions, object }) => {
    const lost = dropped.filter((property) => !(keepsSessions && property === sessions));
    if (lost.length === 0) return [];
    const names = lost.map(({ key }) => source.textOf(key)).join(' and ');
    const message = `${names} dropped: tokens are found by what is registered as TOKEN_REPOSITORY, or by the option tokens, which then types the user, too`;
    return [findingAt(source, lost[0] ?? object, { code: 'dropped-options', kind: 'look', message })];
  });
}

/** What a person must look at where a wrapper of tokens now stands. */
export function* tokenFindings({ source }: Context, mention: Mention, { reads, isSeen }: Handled): Generator<Finding> {
  yield* httpUserFindings(source, mention);
  if (reads.at !== undefined) {
    const message =
      'message.httpSession is read: withHttpSession was added. A client that has only a token has no HTTP session, and gets undefined';
    yield findingAt(source, reads.at, { code: 'reads-http-session', kind: 'look', message });
  } else if (!isSeen) {
    const message = `${mention.exported} is handed on: give it no sessions and users elsewhere, and withHttpSession to handlers that read message.httpSession`;
    yield findingAt(source, mention.node, { code: 'handed-on', kind: 'look', message });
  } else if (reads.unseen !== undefined) {
    const text = shortened(source.textOf(reads.unseen));
    const message = `whether ${text} reads message.httpSession cannot be told here; where it does, put withHttpSession around it, too`;
    yield findingAt(source, reads.unseen, { code: 'handler-not-seen', kind: 'look', message });
  }
}

/** What a person must look at where a wrapper of both now stands. */
export function* dualFindings({ source }: Context, mention: Mention, { reads, isSeen }: Handled): Generator<Finding> {
  yield* httpUserFindings(source, mention);
  if (reads.at !== undefined) {
    const message = 'message.httpSession is read: a client that has only a token has none, and gets undefined';
    yield findingAt(source, reads.at, { code: 'reads-http-session', kind: 'look', message });
  }
  if (!isSeen) {
    const message = `${mention.exported} is handed on: what takes it gets a wrapper that takes no options any more`;
    yield findingAt(source, mention.node, { code: 'handed-on', kind: 'look', message });
  }
}

/** Whether a `revalidate` among what a wrapper was given may be missed by its new source; `options` where they are written out there. */
export function revalidateFindings({ source }: Context, given: Node, options: HttpOptions | undefined): Finding[] {
  const { revalidate } = options ?? {};
  const isTakenOver = options !== undefined && (revalidate === undefined || isRepeatable(revalidate.value));
  if (isTakenOver) return [];
  const message = 'a revalidate that is given here is that of HTTP sessions alone: give it to fromToken, too';
  return [findingAt(source, revalidate ?? given, { code: 'revalidate', kind: 'look', message })];
}

function* httpUserFindings(source: Context['source'], mention: Mention): Generator<Finding> {
  if (mention.exported !== 'withHttpUser') return;
  const message =
    "withHttpUser looked the user up for each message; now it is found at connect, and then as often as revalidate says ('message' for each)";
  yield findingAt(source, mention.node, { code: 'http-user', kind: 'look', message });
}

/** Source text as part of a sentence. */
export function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > 40 ? `${line.slice(0, 39)}…` : line;
}
