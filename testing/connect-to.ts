import type { Authentication } from '../src/authentication.js';
import { bytesOf } from '../src/channel/frame-format.js';
import type { LiveChannel } from '../src/channel/live-channel.js';
import { checkData, jsonOf } from '../src/check-data.js';
import { anObject, checkOption, oneOf, type Rule } from '../src/checked-options.js';
import type { Channel, ChannelSession } from '../src/messages.js';
import { checkCopy } from '../src/package-copy.js';
import type { ChannelHandlers, ClassHandlers } from '../src/server/channel-handlers.js';
import { ChannelServer } from '../src/server/channel-server.js';
import { type ChannelServerOptions, isServerOption } from '../src/server/channel-server-options.js';
import { SessionDraft } from '../src/session/session-draft.js';
import { cutReason, isCloseCode } from '../src/status-codes.js';
import { tagged } from '../src/tagged.js';
import type { AnonymousUser, AppUser } from '../src/users.js';
import { checkedHandshake, fakeRequest, type HandshakeOptions } from './fake-request.js';
import { FakeTransport } from './fake-transport.js';

/** Options of {@link connectTo}: of the handshake, and of the server that it makes if handlers are given. */
export interface ConnectOptions extends HandshakeOptions, ChannelServerOptions {
  /**
   * The way in. `upgrade`, as under `handleUpgrades`: a refusal is a status (`client.refusal`). `accept`, as under `accept` and `attach`: a
   * refusal is a close code (`client.closed`).
   *
   * @default 'upgrade'
   */
  readonly via?: 'upgrade' | 'accept' | undefined;
}

const aCode: Rule = {
  must: 'one that a close frame may have, 1005 for none, or 1006 for no frame',
  accepts: (value) => isCloseCode(value) || value === 1005 || value === 1006,
};
const aReason: Rule = {
  must: 'a string of at most 123 bytes of UTF-8',
  accepts: (value) => typeof value === 'string' && cutReason(value) === value,
};

/** A client of a channel in a test: everything that it does goes through the real runtime, and nothing through a network. */
export class TestClient {
  readonly #channel: LiveChannel;
  readonly #transport: FakeTransport;

  /** @internal */
  constructor(channel: LiveChannel, transport: FakeTransport) {
    this.#channel = channel;
    this.#transport = transport;
  }

  /** What the handlers sent, as it would leave: text frames as strings (what `sendJson` sends too), binary ones as bytes. */
  get sent(): readonly (string | Uint8Array)[] {
    return this.#transport.fake.sent;
  }

  /** The text frames of {@link sent}, parsed as JSON. */
  get sentJson(): readonly unknown[] {
    return this.sent.flatMap((frame): unknown[] => (typeof frame === 'string' ? [JSON.parse(frame)] : []));
  }

  /** The status with which the handshake was refused; `undefined` if it succeeded. */
  get refusal(): { readonly status: number } | undefined {
    return this.#transport.refusal;
  }

  /**
   * The code and reason with which the connection was closed, by whichever side; `undefined` while it is open or was refused by a status.
   */
  get closed(): { readonly code: number; readonly reason: string } | undefined {
    return this.#transport.fake.closedWith;
  }

  /** Whom the channel knows. */
  get user(): AppUser | AnonymousUser {
    return this.#channel.user;
  }

  /** How the channel was identified. */
  get authentication(): Authentication | undefined {
    return this.#channel.identity.authentication;
  }

  /** The channel itself. */
  get channel(): Channel {
    return this.#channel;
  }

  /**
   * The channel's session as it was saved last; it can only be read.
   *
   * @throws {TypeError} when no wrapper of the server uses sessions.
   */
  get channelSession(): ChannelSession {
    const { runtime, session } = this.#channel;
    const record = runtime.plan.wantsSession || session.isUsed ? session.record : undefined;
    if (record === undefined) throw new TypeError('client.channelSession: no wrapper of this server uses sessions, or it was not opened');
    const draft = new SessionDraft(record);
    draft.seal();
    return draft;
  }

  /**
   * Sends one message, as a text frame for a string and a binary one for bytes; resolves when it was handled and its changes saved.
   *
   * @throws {TypeError} (as a rejection) when `data` is neither a string nor bytes, or the connection is not open.
   */
  async send(data: string | ArrayBuffer | ArrayBufferView): Promise<void> {
    checkData('client.send', data);
    if (this.#transport.socket === undefined || this.closed !== undefined) {
      throw new TypeError('client.send: the connection is not open; look at client.refusal and client.closed');
    }
    const isBinary = typeof data !== 'string';
    this.#transport.fake.emit('message', Buffer.from(isBinary ? bytesOf(data) : data), isBinary);
    await this.#channel.inbox.idle();
    if (this.closed !== undefined) await this.#channel.finished;
  }

  /** {@link send}, with `value` as JSON. @throws {TypeError} (as a rejection) as that, and when JSON cannot hold `value`. */
  async sendJson(value: unknown): Promise<void> {
    await this.send(jsonOf('client.sendJson', value));
  }

  /**
   * Closes the connection from the client's side; resolves when the disconnect handler is done.
   *
   * @param code of the client's close frame; with 1005 that has none, with 1006 the client vanishes without one. @default 1000
   * @param reason at most 123 bytes of UTF-8.
   * @throws {TypeError} (as a rejection) when no close frame can say that.
   */
  async disconnect(code = 1000, reason = ''): Promise<void> {
    checkOption('client.disconnect', 'code', code, aCode);
    checkOption('client.disconnect', 'reason', reason, aReason);
    this.#transport.fake.end(code, reason);
    if (this.#transport.socket === undefined) this.#channel.closed(code, reason);
    await this.#channel.finished;
  }

  /** What the client has seen, as snapshots and the diffs of test runners show it. */
  toJSON(): object {
    const { user, refusal, closed, sent } = this;
    return { user, refusal, closed, sent };
  }
}

tagged('TestClient', TestClient.prototype);

/**
 * Connects a client to a server, or to handlers (for which it makes a server), without a network. Resolves when connect has succeeded or
 * was refused: look at `refusal` and `closed`.
 *
 * @throws {TypeError} (as a rejection) when an option is not what it must be, or options of a server are given with a server.
 */
export async function connectTo<H extends object = never>(
  target: ChannelServer | ChannelHandlers | (H & ClassHandlers<H>),
  options: ConnectOptions = {},
): Promise<TestClient> {
  checkOption('connectTo', 'options', options, anObject);
  const { cookies, headers, origin, url, protocols, via = 'upgrade', ...serverOptions } = options;
  const handshake = checkedHandshake('connectTo', { cookies, headers, origin, url, protocols });
  checkOption('connectTo', 'via', via, oneOf(['upgrade', 'accept']));
  checkOptionNames(serverOptions);
  if (!(target instanceof ChannelServer)) checkCopy('connectTo: target', target);
  else if (Object.keys(serverOptions).length > 0) {
    throw new TypeError(`connectTo: ${Object.keys(serverOptions)[0]} is an option of the server; give it to the ChannelServer`);
  }
  const server = target instanceof ChannelServer ? target : new ChannelServer(target as ChannelHandlers, serverOptions);
  const transport = new FakeTransport(via);
  const channel = server.open(transport, fakeRequest(handshake));
  await transport.settled;
  return new TestClient(channel, transport);
}

/** @throws {TypeError} when one of them is no option of a server. */
function checkOptionNames(serverOptions: object): void {
  const unknown = Object.keys(serverOptions).find((name) => !isServerOption(name));
  if (unknown === undefined) return;
  throw new TypeError(
    `connectTo: there is no option ${unknown}; it takes cookies, headers, origin, url, protocols and via, and the options of ChannelServer`,
  );
}
