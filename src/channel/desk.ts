import type { HttpSession, HttpSessionReader } from '../contracts/http-session-reader.js';
import { ChannelError } from '../errors.js';
import { boundedLookUp } from '../identity/bounded-look-up.js';
import type { UserSource } from '../identity/user-source.js';
import type { ChannelMessage } from './channel-message.js';
import { ChannelConnectMessage, type Connecting } from './connecting.js';

/** Puts the channel session on `message`; a promise only where it must be loaded first. */
export function giveSession(message: ChannelMessage): Promise<void> | undefined {
  if (message.hasSession) return undefined;
  const connecting = connectingOf(message);
  const { session, identity } = message.channel;
  const pending = connecting === undefined ? session.open(identity) : connecting.prepare(undefined, true);
  if (pending !== undefined) return pending.then(() => message.putSession());
  message.putSession();
  return undefined;
}

/** The connect that `message` belongs to, until it is over. */
export function connectingOf(message: ChannelMessage): Connecting | undefined {
  return message instanceof ChannelConnectMessage ? message.connecting : undefined;
}

/**
 * Puts session and user on `message`: at connect from `sources` (those of the server's plan, where it saw this wrapper), later what the
 * channel knows. Without `sources` it is what the channel knows at any time.
 *
 * @throws {ChannelError} `ERR_WRAPPER_MISSING` where the credentials are gone before anybody looked at them.
 */
export function giveUser(wrapper: string, message: ChannelMessage, sources?: readonly UserSource[]): Promise<void> | undefined {
  const { channel } = message;
  const connecting = connectingOf(message);
  if (connecting !== undefined) {
    const pending = connecting.prepare(sources, true);
    if (pending !== undefined) return pending.then(() => putUser(message));
  } else if (sources !== undefined && channel.authentication === undefined) {
    throw new ChannelError(
      'ERR_WRAPPER_MISSING',
      `${wrapper} is called from a function of your own, where the server cannot see it, and after connect the credentials are gone: ` +
        'wrap the handler itself, or identify in connect too.',
    );
  }
  const loading = giveSession(message);
  if (loading !== undefined) return loading.then(() => putUser(message));
  putUser(message);
  return undefined;
}

function putUser(message: ChannelMessage): void {
  message.putSession();
  // an outer wrapper that found the HTTP session gone knows better
  if (!message.hasUser) message.user = message.channel.user;
}

/**
 * The HTTP session of `message`: of the handshake at connect, later read again by its id.
 *
 * @throws {ChannelError} (as a rejection) `ERR_WRAPPER_MISSING` where the handshake is gone before anybody read it.
 */
export async function readHttpSession(message: ChannelMessage, reader: HttpSessionReader): Promise<HttpSession | undefined> {
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
  if (id === undefined) return undefined;
  const { clock, connectTimeoutMs } = channel.runtime;
  return (await boundedLookUp('Reading an HTTP session again', () => reader.readById(id), clock, connectTimeoutMs)) ?? undefined;
}
