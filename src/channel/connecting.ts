import type { HttpSession, HttpSessionReader } from '../contracts/http-session-reader.js';
import { ChannelError } from '../errors.js';
import { KeptHandshake } from '../handshake.js';
import { lookUpFailed } from '../identity/bounded-look-up.js';
import type { BoundSource, HandshakeLookUps, IdentityKeys, UserSource } from '../identity/user-source.js';
import { isThenable, promiseOf } from '../maybe-promise.js';
import type { ConnectMessage, HandshakeRequest } from '../messages.js';
import { ResponseHeaders } from '../response-headers.js';
import type { ChannelRecord } from '../session/channel-record.js';
import { SessionDraft } from '../session/session-draft.js';
import { isThrown } from '../thrown.js';
import { ChannelMessage } from './channel-message.js';
import { checkReturned } from './channel-plan.js';
import type { ChannelRegistry } from './channel-registry.js';
import { checkKnown } from './check-identities.js';
import { type ConnectWaits, connectTimeout } from './connect-timeout.js';
import type { LiveChannel, PendingConnect } from './live-channel.js';
import type { PendingHandler } from './pending-handlers.js';
import type { Transport } from './transport.js';

const noLines: readonly string[] = Object.freeze([]);

/** A handshake has arrived. */
export class ChannelConnectMessage extends ChannelMessage implements Pick<ConnectMessage, 'kind' | 'request' | 'responseHeaders'> {
  readonly kind = 'connect';
  readonly #request: HandshakeRequest;
  /** The connect that it belongs to, until that is over. */
  connecting: Connecting | undefined;
  #responseHeaders: ResponseHeaders | undefined;

  constructor(channel: LiveChannel, request: HandshakeRequest, connecting: Connecting) {
    super(channel);
    this.#request = request;
    this.connecting = connecting;
  }

  get request(): HandshakeRequest {
    return this.#request;
  }

  get responseHeaders(): ResponseHeaders {
    this.#responseHeaders ??= new ResponseHeaders();
    if (this.channel.hasConnected || this.channel.socket !== undefined) this.#responseHeaders.seal();
    return this.#responseHeaders;
  }

  /** The lines of {@link responseHeaders} for the answer, which is given now. */
  takeHeaderLines(): readonly string[] {
    this.#responseHeaders?.seal();
    return this.#responseHeaders?.lines() ?? noLines;
  }

  /** A reload that hangs is a load that the connect waits for. */
  protected override draftOf(record: ChannelRecord): SessionDraft {
    return new SessionDraft(record, (reloading) => this.connecting?.loading(reloading) ?? reloading);
  }
}

/**
 * The connect of one channel: under one deadline its identification, the opening of its session, the handler, the save of what that changed
 * and the answer to the handshake. Then the channel lives, and this is let go of, with the request.
 */
export class Connecting implements PendingConnect, PendingHandler, HandshakeLookUps {
  readonly #channel: LiveChannel;
  readonly #registry: ChannelRegistry;
  readonly #transport: Transport;
  readonly #request: HandshakeRequest;
  readonly #message: ChannelConnectMessage;
  /** Revocations count from here on: a look-up that was sent before may be answered with what was true before. */
  readonly #mark: number;
  readonly #pending: ConnectWaits = { 'look-up': 0, load: 0, save: 0 };
  /** When it was begun, on the monotonic clock. */
  startedAt = 0;
  isPending = false;
  #httpSession: Promise<HttpSession | undefined> | undefined;
  #readSession: { readonly reader: HttpSessionReader; readonly session: HttpSession } | undefined;
  #identifying: Promise<void> | undefined;
  #isIdentified = false;
  #isRead = false;
  #opening: Promise<void> | undefined;

  constructor(channel: LiveChannel, registry: ChannelRegistry, transport: Transport, request: HandshakeRequest) {
    this.#channel = channel;
    this.#registry = registry;
    this.#mark = registry.watch.mark();
    this.#transport = transport;
    this.#request = request;
    this.#message = new ChannelConnectMessage(channel, request, this);
  }

  /** Ends the channel where any of it fails, or is not done by the deadline. Waits only for what is not done at once. Never rejects. */
  async run(): Promise<void> {
    const channel = this.#channel;
    const { plan, connects, credentials, addresses } = channel.runtime;
    channel.connectBegun(this);
    this.startedAt = channel.runtime.clock.monotonic();
    connects.begin(this);
    try {
      const identifying = plan.connectIdentifies ? undefined : this.prepare();
      if (identifying !== undefined) await identifying;
      if (plan.connect !== undefined && channel.isConnecting) {
        const result = plan.connect(this.#message);
        const returned = isThenable(result) ? await promiseOf(result) : result;
        if (returned !== undefined) checkReturned('connect', returned);
      }
      const preparing = channel.isConnecting ? this.prepare() : undefined; // where no wrapper came to it
      if (preparing !== undefined) await preparing;
      const saving = channel.isConnecting ? this.#message.commit() : undefined;
      if (saving !== undefined) await this.#waiting('save', saving);
      if (!channel.isConnecting) return;
      const handshake = new KeptHandshake(this.#request, credentials.secretParameters);
      // whoever is told of the end may want to know where the peer was
      if (plan.disconnect !== undefined || !addresses.arePeers) handshake.putAddress(addresses.of(this.#request));
      channel.connected(handshake);
      const answer = this.#transport.socket !== undefined || this.#transport.answer(channel, this.#message.takeHeaderLines());
      const isAnswered = typeof answer === 'boolean' ? answer : await answer;
      if (!isAnswered) channel.closed(1006, '');
      else if (channel.isConnecting) this.#live();
    } catch (error) {
      // once it has ended, a look-up, load or save that gives up says nothing new
      if (channel.isConnecting || !isThrown(error, ChannelError)) channel.fail(error, this.#message);
    } finally {
      this.#over();
      this.#message.connecting = undefined;
    }
  }

  #live(): void {
    const channel = this.#channel;
    const read = this.#readSession;
    if (read !== undefined) channel.runtime.httpSessions.add(channel, read.reader, read.session);
    channel.live(this.startedAt);
  }

  get isHandling(): boolean {
    return this.#pending['look-up'] === 0 && this.#pending.load === 0;
  }

  cancelDeadline(): void {
    this.#channel.runtime.connects.end(this);
  }

  /** The deadline has passed. */
  outlasted(ms: number): void {
    this.#over();
    if (this.#channel.isConnecting) this.#channel.fail(connectTimeout(this.#pending, ms), this.#message);
  }

  abandon(): void {
    this.#over();
  }

  /** It is over, or waited for no longer. */
  #over(): void {
    this.cancelDeadline();
    this.#message.seal();
    this.#channel.connectOver();
  }

  /**
   * Everything that the server's wrappers want at connect, done once; `undefined` where there is nothing to wait for.
   *
   * @param wanted the sources of the wrapper that asks: those of the server, where it saw that one when it was built.
   * @param wantsSession whether a wrapper asks for the session that the server could not see either.
   */
  prepare(wanted?: readonly UserSource[], wantsSession = this.#channel.runtime.plan.wantsSession): Promise<void> | undefined {
    const earlier = this.#identifying;
    const identifying = this.#identify(wanted, wantsSession);
    if (!wantsSession) return identifying;
    if (identifying === undefined) return this.#openSession();
    return identifying === earlier ? identifying.then(() => this.#openSession()) : identifying;
  }

  /** The HTTP session of the handshake: read once, whoever asks, since a server has one reader. */
  httpSession(reader: HttpSessionReader): Promise<HttpSession | undefined> {
    this.#httpSession ??= this.#waiting('look-up', this.#readHttpSession(reader));
    return this.#httpSession;
  }

  async #readHttpSession(reader: HttpSessionReader): Promise<HttpSession | undefined> {
    try {
      const session = (await reader.read(this.#request)) ?? undefined;
      this.#channel.identity.rememberHttpSession(session);
      this.#readSession = session && { reader, session };
      return session;
    } catch (error) {
      throw lookUpFailed(error);
    }
  }

  /** Identification, beside the HTTP session that wrappers of any slot want; then the session, if it is wanted. */
  #identify(wanted: readonly UserSource[] | undefined, wantsSession: boolean): Promise<void> | undefined {
    const { runtime, identity } = this.#channel;
    const { sources: planned, reader, seen } = runtime.plan;
    const isSeen = wanted === undefined || seen.has(wanted);
    const own = isSeen ? undefined : wanted.map((source) => runtime.bindHidden(source));
    if (own !== undefined) checkKnown(own, planned ?? identity.sources);
    if (this.#identifying !== undefined || this.#isIdentified) return this.#identifying;
    const sources = planned ?? own;
    if (sources === undefined && (reader === undefined || this.#isRead)) return undefined;
    this.#identifying = this.#lookUp(sources, reader, wantsSession);
    return this.#identifying;
  }

  async #lookUp(sources: readonly BoundSource[] | undefined, reader: HttpSessionReader | undefined, wantsSession: boolean): Promise<void> {
    const channel = this.#channel;
    this.#pending['look-up'] += 1;
    try {
      const reading = reader && this.httpSession(reader);
      reading?.catch(() => undefined); // it is awaited below, if the identification gets so far
      if (sources !== undefined) {
        const starting = this.#registry.watch.ready();
        if (starting !== undefined) {
          await starting;
          channel.runtime.connects.endLate(); // who waited for that may have no time left to look anybody up
          this.#checkOpen();
        }
        await this.#find(sources);
      }
      if (reading !== undefined) await reading;
    } finally {
      this.#pending['look-up'] -= 1;
    }
    this.#checkOpen();
    this.#identifying = undefined;
    this.#isIdentified = sources !== undefined;
    this.#isRead = true;
    const opening = wantsSession ? this.#openSession() : undefined;
    if (opening !== undefined) await opening;
  }
  async #find(sources: readonly BoundSource[]): Promise<void> {
    const channel = this.#channel;
    const { lifecycle, events } = channel.runtime;
    const audience = events.audience.identification;
    if (audience.hasSubscribers) lifecycle.identifying(channel);
    try {
      await channel.identity.find(this.#request, sources, this);
    } catch (error) {
      lifecycle.identified(channel, true);
      throw lookUpFailed(error);
    }
    if (audience.hasSubscribers) lifecycle.identified(channel);
    if (channel.identity.isOfEndingSource) channel.runtime.warnOfEnding(channel.identity);
    this.#registry.identified(channel, this.#mark, this.startedAt);
    channel.takeRoom();
  }

  get aborting(): LiveChannel {
    return this.#channel;
  }

  claim(keys: IdentityKeys): void {
    this.#registry.claim(this.#channel, keys, this.#mark);
  }

  #openSession(): Promise<void> | undefined {
    if (this.#opening !== undefined) return this.#opening;
    const { session, identity } = this.#channel;
    if (!session.isOpen) this.#checkOpen(); // nobody would end what is opened now
    const loading = session.open(identity);
    if (loading === undefined) return undefined;
    this.#opening = this.#waiting('load', loading);
    return this.#opening.then(() => {
      this.#opening = undefined;
    });
  }

  /** Waits for a look-up that a wrapper does by itself: it counts as one where the deadline passes meanwhile. */
  lookingUp<T>(pending: Promise<T>): Promise<T> {
    return this.#waiting('look-up', pending);
  }

  loading<T>(pending: Promise<T>): Promise<T> {
    return this.#waiting('load', pending);
  }

  async #waiting<T>(what: keyof ConnectWaits, pending: Promise<T>): Promise<T> {
    this.#pending[what] += 1;
    try {
      const result = await pending;
      this.#checkOpen();
      return result;
    } finally {
      this.#pending[what] -= 1;
    }
  }

  /** A late answer goes no further: nobody would call disconnect for what a handler does now. */
  #checkOpen(): void {
    if (!this.#channel.isOpen) throw new ChannelError('ERR_CHANNEL_CLOSED', 'The channel ended while its connect was being prepared.');
  }
}
