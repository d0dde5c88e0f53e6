import { isDeepStrictEqual } from 'node:util';
import type { ChannelMessage } from '../src/channel/channel-message.js';
import { connectingOf } from '../src/channel/define-built-in.js';
import type { HttpSessionRequirement } from '../src/channel/requirement-kinds.js';
import type { HttpSession, HttpSessionReader } from '../src/contracts/http-session-reader.js';
import { copyOfData } from '../src/copy-of-data.js';
import { ChannelError } from '../src/errors.js';
import { boundedLookUp } from '../src/identity/bounded-look-up.js';
import { checkedHttpSession } from '../src/identity/checked-http-session.js';
import { isThrown } from '../src/thrown.js';
import { withDeadline } from '../src/time/deadline.js';
import { anonymousUser } from '../src/users.js';

const owner = 'message.httpSession';

/**
 * The HTTP session of `message`: of the handshake at connect, later read again by its id; one that has none, as it was at connect.
 *
 * @throws {ChannelError} (as a rejection) `ERR_WRAPPER_MISSING` where the handshake is gone before anybody read it.
 */
async function readHttpSession(message: ChannelMessage, reader: HttpSessionReader): Promise<HttpSession | undefined> {
  const { channel } = message;
  const connecting = connectingOf(message);
  if (connecting !== undefined) return connecting.httpSession(reader);
  if (!channel.identity.hasReadHttpSession) {
    throw new ChannelError(
      'ERR_WRAPPER_MISSING',
      'A wrapper that reads HTTP sessions is called from a function of your own, where the server cannot see it, and after connect the ' +
        'handshake is gone: wrap the handler itself, or read the session in connect too.',
    );
  }
  const id = channel.identity.handshakeHttpSessionId;
  if (id === undefined) return channel.identity.keptHttpSession();
  const read = async (): Promise<HttpSession | undefined> => checkedHttpSession(await reader.readById(id), 'sessions.readById');
  return boundedLookUp('Reading an HTTP session again', read, channel.runtime.timeLimit);
}

/**
 * Puts the HTTP session on `message`, once per message, and saves it after the handler if its data were changed; not after a throw.
 *
 * As `http_session` of Channels 1.1.8 (`channels/sessions.py`), but for its nested path, which saves after a throw too.
 */
export async function giveHttpSession(message: ChannelMessage, requirement: HttpSessionRequirement): Promise<void> {
  const { runtime } = message.channel;
  const { reader } = runtime.bind(requirement);
  runtime.checkReader(reader);
  if (message.hasHttpSession) return;
  let session: HttpSession | undefined;
  try {
    session = await readHttpSession(message, reader);
  } catch (error) {
    // on disconnect nobody is left to be told that it cannot be read
    if (message.kind !== 'disconnect') throw error;
    runtime.reporter.error(error, message);
    message.httpSession = undefined;
    return;
  }
  message.httpSession = session;
  if (session !== undefined) saveIfChanged(message, session);
  forgetUserOfGoneSession(message);
}

function saveIfChanged(message: ChannelMessage, session: HttpSession): void {
  const before = copyOfData(owner, session.data);
  // a copy of a Buffer or an object without a prototype is of another kind than what it was copied from
  message.onSuccess(() => (isDeepStrictEqual(copyOfData(owner, session.data), before) ? undefined : save(message, session)));
}

/** Whether the channel's user was found through the HTTP session that `message` has, and which is gone, or somebody else's now. */
export function hasLostHttpSession(message: ChannelMessage): boolean {
  const { identity } = message.channel;
  if (message.kind === 'connect' || !message.hasHttpSession || !identity.isOfHttpSession) return false;
  // one that could not be asked for again says nothing
  return identity.handshakeHttpSessionId !== undefined && message.httpSession?.userId !== identity.found;
}

/** This message's user is anonymous, and the channel ends when the handler is done, as what it knew holds no longer. */
function forgetUserOfGoneSession(message: ChannelMessage): void {
  if (!hasLostHttpSession(message)) return;
  message.user = anonymousUser;
  message.onHandled(() => message.channel.endWith('ERR_HTTP_SESSION_ENDED'));
}

async function save(message: ChannelMessage, session: HttpSession): Promise<void> {
  const { timeLimit } = message.channel.runtime;
  const onTimeout = (): Error => new Error(`The HTTP session was not saved within ${timeLimit.ms} ms.`);
  try {
    await withDeadline(() => session.save(), { ...timeLimit, onTimeout });
  } catch (error) {
    if (isThrown(error, ChannelError)) throw error;
    throw new ChannelError('ERR_SESSION_SAVE_FAILED', 'The HTTP session could not be saved.', { cause: error });
  }
}
