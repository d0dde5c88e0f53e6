/**
 * What a client does when its connection is over.
 *
 * - `renew`: renews its credential and returns at once
 * - `log-in`: stops, since somebody must log in
 * - `stop`: stops
 * - `at-once`: returns at once
 * - `soon`: returns within some seconds (a restart)
 * - `backoff`: returns with growing pauses
 * - `later`: returns with longer pauses, since the server fails; stops if that does not end
 * - `much-later`: returns after a long pause, since it was asked to slow down
 */
export type CloseAction = 'renew' | 'log-in' | 'stop' | 'at-once' | 'soon' | 'backoff' | 'later' | 'much-later';

/** Why a connection is over: the code and reason of its close frame (RFC 6455, section 7.4), 1006 where there was none. */
export interface Closing {
  readonly code: number;
  readonly reason: string;
}

/** A line that broke. */
export const brokenLine: Closing = { code: 1006, reason: '' };

/** Reasons of 3000 that no person is needed for. */
const renewable = /^(token expired|authentication required)$/;
/** Ends that another attempt would not change: somebody meant it, or the client broke the protocol (1002, 1003, 1007 to 1010). */
const final = /^(100[023789]|1010|3(?!008)|4(?!408))/;

/**
 * What the close contract of ws-with asks a client to do, also with the private codes 4401, 4403 and 4408. For a broken line (1006) it
 * gives `backoff`.
 */
export function actionOn({ code, reason }: Closing): CloseAction {
  if (code === 3000 || code === 4401) return renewable.test(reason) ? 'renew' : 'log-in';
  if (code === 1008 && reason === 'rate limited') return 'much-later';
  if (code === 1012) return 'soon';
  if (code === 1011) return 'later';
  return final.test(`${code}`) ? 'stop' : 'backoff';
}
