import { ChannelError } from '../errors.js';
import type { Reporter } from '../reporter.js';

/** What the end of a channel waits for, and how a report names one of it and several. */
const names = {
  connect: ['connect handler', 'connect handlers'],
  receive: ['receive handler or its save', 'receive handlers or their saves'],
  disconnect: ['disconnect handler', 'disconnect handlers'],
  session: ['session to be saved or removed', 'sessions to be saved or removed'],
  connection: ['connection whose peer did not close it', 'connections whose peers did not close them'],
} as const;

/** What the end of a channel waits for. */
export type UnfinishedWork = keyof typeof names;

/** Says what a shutdown cut off: work of this process is an error, peers that keep their connections open are a warning. */
export function reportUnfinished(work: readonly UnfinishedWork[], timeoutMs: number, reporter: Reporter): void {
  const parts = Object.entries(names).flatMap(([kind, [one, several]]) => {
    const count = work.filter((each) => each === kind).length;
    return count === 0 ? [] : [`${count} ${count === 1 ? one : several}`];
  });
  const report = new ChannelError('ERR_SHUTDOWN', `close() gave up after ${timeoutMs} ms on ${parts.join(', ')}.`);
  if (work.every((each) => each === 'connection')) reporter.warn(report);
  else reporter.error(report);
}

/** What tells whether a channel may still handle something. */
interface Working {
  readonly isOpen: boolean;
  readonly isCutOff: boolean;
  readonly unfinished: UnfinishedWork;
}

/** Whether it is open, or still handles what its client sent before it left: its credential must count as long. */
export function mayHandle(channel: Working): boolean {
  return channel.isOpen || (!channel.isCutOff && channel.unfinished === 'receive');
}
