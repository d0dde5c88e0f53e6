import type { IncomingMessage } from 'node:http';
import type { HttpSession, HttpSessionReader } from '../contracts/http-session-reader.js';
import { ChannelError } from '../errors.js';
import { lookUpFailed } from '../identity/bounded-look-up.js';
import { identify } from '../identity/identify.js';
import type { BoundSource, Finding, UserSource } from '../identity/user-source.js';
import { derivedSessionId } from '../session/session-id.js';
import type { SessionScope } from '../session/session-settings.js';
import type { ChannelHost, ConnectPreparation, RuntimeChannel } from './channel-host.js';

/** What a pending connect waits for: it decides what the client is told when time runs out. */
export type WaitsFor = 'handler' | 'look-up' | 'load' | 'save';

/** Finds out, at connect and once, who speaks and what the channel remembers; let go of afterwards, with the request. */
export class Preparation implements ConnectPreparation {
  readonly #channel: RuntimeChannel;
  readonly #host: ChannelHost;
  readonly #request: IncomingMessage;
  readonly #httpSessions = new Map<HttpSessionReader, Promise<HttpSession | undefined>>();
  #identifying: Promise<void> | undefined;
  #isIdentified = false;
  #isRead = false;
  #opening: Promise<void> | undefined;
  readonly #pending = { 'look-up': 0, load: 0, save: 0 };
  /** Cancels the deadline: of no use once the channel has ended. */
  cancelDeadline: () => void = () => undefined;

  constructor(channel: RuntimeChannel, host: ChannelHost, request: IncomingMessage) {
    this.#channel = channel;
    this.#host = host;
    this.#request = request;
  }

  /**
   * Everything that the server's wrappers want at connect; `undefined` where there is nothing to wait for.
   *
   * @param hidden the sources of a wrapper that the server could not see when it was built.
   * @param wantsSession whether a wrapper asks for the session that the server could not see either.
   */
  run(hidden?: readonly UserSource[], wantsSession = this.#host.plan.wantsSession): Promise<void> | undefined {
    const identifying = this.#identify(hidden);
    if (identifying !== undefined) return identifying.then(() => (wantsSession ? this.#openSession() : undefined));
    return wantsSession ? this.#openSession() : undefined;
  }

  /** The HTTP session of the handshake: read once, whoever asks. */
  httpSession(reader: HttpSessionReader): Promise<HttpSession | undefined> {
    let pending = this.#httpSessions.get(reader);
    if (pending === undefined) {
      pending = this.#waiting('look-up', async () => {
        try {
          const session = (await reader.read(this.#request)) ?? undefined;
          this.#channel.identity.rememberHttpSession(reader, session?.id);
          return session;
        } catch (error) {
          throw lookUpFailed(error);
        }
      });
      this.#httpSessions.set(reader, pending);
    }
    return pending;
  }

  /** Identification, beside the HTTP sessions that wrappers of any slot want. */
  #identify(hidden: readonly UserSource[] | undefined): Promise<void> | undefined {
    if (this.#identifying !== undefined) return this.#identifying;
    if (this.#isIdentified) return undefined;
    const { sources: planned, readers } = this.#host.plan;
    const sources = planned ?? hidden?.map((source) => this.#host.bind(source));
    if (sources === undefined && (readers.length === 0 || this.#isRead)) return undefined;
    const pending = this.#waiting('look-up', () => this.#lookUp(sources, readers));
    this.#identifying = pending;
    return pending.then(() => {
      this.#identifying = undefined;
      this.#isIdentified = sources !== undefined;
      this.#isRead = true;
    });
  }

  async #lookUp(sources: readonly BoundSource[] | undefined, readers: readonly HttpSessionReader[]): Promise<void> {
    const reading = Promise.all(readers.map((reader) => this.httpSession(reader)));
    reading.catch(() => undefined); // it is awaited below, if the identification gets so far
    if (sources !== undefined) {
      let finding: Finding;
      try {
        finding = await identify(this.#request, sources, (reader) => this.httpSession(reader));
      } catch (error) {
        throw lookUpFailed(error);
      }
      this.#channel.identity.found(finding);
    }
    await reading;
  }

  #openSession(): Promise<void> | undefined {
    if (this.#opening !== undefined) return this.#opening;
    const loading = openRecord(this.#channel);
    if (loading === undefined) return undefined;
    const pending = this.#waiting('load', () => loading);
    this.#opening = pending;
    return pending.then(() => {
      this.#opening = undefined;
    });
  }

  /** What connect waits for at this moment. */
  get waitsFor(): WaitsFor {
    const { save, load, 'look-up': lookUps } = this.#pending;
    if (save > 0) return 'save';
    if (lookUps > 0) return 'look-up';
    return load > 0 ? 'load' : 'handler';
  }

  /** Runs a look-up that a wrapper does by itself: it counts as one where the deadline passes meanwhile. */
  lookingUp<T>(run: () => Promise<T>): Promise<T> {
    return this.#waiting('look-up', run);
  }

  /** Waits for the commit of the connect message. */
  saving(commit: Promise<void>): Promise<void> {
    return this.#waiting('save', () => commit);
  }

  async #waiting<T>(what: Exclude<WaitsFor, 'handler'>, run: () => Promise<T>): Promise<T> {
    this.#pending[what] += 1;
    try {
      const result = await run();
      // a late answer goes no further: nobody would call disconnect for what a handler does now
      if (!this.#channel.isOpen) throw new ChannelError('ERR_CHANNEL_CLOSED', 'The channel ended while its connect was being prepared.');
      return result;
    } finally {
      this.#pending[what] -= 1;
    }
  }
}

/** Opens the channel's session, once: a promise where its record must be loaded. */
export function openRecord(channel: RuntimeChannel): Promise<void> | undefined {
  if (channel.record !== undefined) return undefined;
  // nobody would end what a connect handler opens that goes on after its channel
  if (channel.preparation !== undefined && !channel.isOpen)
    throw new ChannelError('ERR_CHANNEL_CLOSED', 'The channel ended while its connect was being prepared.');
  const { sessions } = channel.host;
  channel.record = sessions.open(sharedSessionId(channel, sessions.scope));
  return channel.record.load();
}

/** The id of the record that the channel shares with others; an anonymous channel shares none. */
function sharedSessionId(channel: RuntimeChannel, scope: SessionScope): string | undefined {
  const { user, tokenId, httpSessionId } = channel.identity;
  if (scope === 'channel' || !user.isAuthenticated) return undefined;
  if (scope === 'user') return derivedSessionId('user', user.id);
  if (tokenId !== undefined) return derivedSessionId('token', tokenId);
  return httpSessionId === undefined ? undefined : derivedSessionId('http-session', httpSessionId);
}
