import type { BoundSource } from '../identity/user-source.js';
import { type AnonymousUser, type AuthenticatedUser, anonymousUser } from '../users.js';
import type { ChannelMessage } from './channel-message.js';
import { type Answer, checkAlike, isSame } from './check-identities.js';

/** Where a wrapper has looked for the user of a message by itself. Most messages are none of them. */
const answers = new WeakMap<ChannelMessage, Answer>();

/**
 * Puts a user whom `wrapper` has found by itself, beside the channel's.
 *
 * @throws {TypeError} when the message has the session of another person's channel, which something else identifies.
 */
export function putOwnUser(
  message: ChannelMessage,
  user: AuthenticatedUser | AnonymousUser,
  { wrapper, source }: { readonly wrapper: string; readonly source: BoundSource },
): void {
  message.user = user;
  answers.set(message, { wrapper, sources: [source] });
  if (message.hasSession) meetOwnUser(message);
}

/** Whether a wrapper has looked for the user of `message` by itself. */
export function hasOwnUser(message: ChannelMessage): boolean {
  return answers.has(message);
}

/** Whether that was done by what `source` asks. */
export function hasOwnUserOf(message: ChannelMessage, source: BoundSource): boolean {
  return answers.get(message)?.sources.every((asked) => isSame(asked, source)) === true;
}

/**
 * `message` gets user or session of its channel, and may have a user who was looked for beside it. Where the HTTP session is somebody
 * else's now, that is nobody, since all else is of whom the channel knows.
 *
 * @throws {TypeError} when it is another person than the channel's, whom something else identifies.
 */
export function meetOwnUser(message: ChannelMessage): void {
  const answer = answers.get(message);
  const { identity, user } = message.channel;
  if (answer === undefined || identity.sources === undefined || message.user.id === user.id) return;
  checkAlike(message.kind, [{ wrapper: 'what identifies the channel', sources: identity.sources }, answer]);
  message.user = anonymousUser;
}
