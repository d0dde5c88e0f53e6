import { afterPromises } from '../after-promises.js';
import type { HttpSession, HttpSessionReader } from '../contracts/http-session-reader.js';
import { ChannelError } from '../errors.js';
import { KeptHandshake } from '../handshake.js';
import { type IdentificationWaiter, toldOf } from '../identity/identification.js';
import type { BoundSource, HandshakeLookUps, IdentityKeys, UserSource } from '../identity/user-source.js';
import type { ConnectMessage, HandshakeRequest } from '../messages.js';
import { isWaitedFor, type PendingHandler, pendingSince } from '../pending-handlers.js';
import { refusedOrigin } from '../refused-origin.js';
import { ResponseHeaders } from '../response-headers.js';
import type { ChannelRecord } from '../session/channel-record.js';
import { SessionDraft } from '../session/session-draft.js';
import { isThrown } from '../thrown.js';
import { admitAddress, admitUser } from './admission.js';
import { ChannelMessage } from './channel-message.js';
import type { ChannelRegistry } from './channel-registry.js';
import { completePrototype } from './complete-prototype.js';
import { type ConnectWaits, connectTimeout } from './connect-timeout.js';
import { HandshakeSession } from './handshake-session.js';
import type { Lifecycle } from './lifecycle.js';
import { LiveChannel, type PendingConnect } from './live-channel.js';
import type { Runtime } from './runtime.js';
import { checkReturned } from './slots.js';
import type { Transport } from './transport.js';

/** Under this symbol, the connect that a message belongs to, until that is over. */
export const ownConnect: unique symbol = Symbol('ws-with.ownConnect');

/** A handshake has arrived. */
export class ChannelConnectMessage extends ChannelMessage implements Pick<ConnectMessage, 'kind' | 'request' | 'responseHeaders'> {
  readonly request: HandshakeRequest;
  accessor [ownConnect]: Connecting | undefined;
  #responseHeaders: ResponseHeaders | undefined;

  constructor(channel: LiveChannel, request: HandshakeRequest, connecting: Connecting) {
    super(channel);
    this.request = request;
    this[ownConnect] = connecting;
  }

  get kind(): 'connect' {
    return 'connect';
  }

  get responseHeaders(): ResponseHeaders {
    this.#responseHeaders ??= new ResponseHeaders();
    if (this.channel.hasConnected || this.channel.socket !== undefined) this.#responseHeaders.seal();
    return this.#responseHeaders;
  }

  /** The lines of {@link responseHeaders} for the answer, which is given now; `undefined` where nobody asked for any. */
  takeHeaderLines(): readonly string[] | undefined {
    return this.#responseHeaders?.takeLines();
  }

  /** A reload that hangs is a load that the connect waits for. */
  protected override draftOf(record: ChannelRecord): SessionDraft {
    return new SessionDraft(record, (reloading) => this[ownConnect]?.waitFor('loads', reloading));
  }
}

completePrototype('Message', ChannelConnectMessage.prototype);

/** Those that were begun just now: most are over with the promises that are settled, and need neither a deadline nor to be watched. */
let begun: Connecting[] | undefined;
const awaitTick = afterPromises(() => {
  const those = begun ?? [];
  begun = undefined;
  for (const connecting of those) connecting.waits();
});

/** The connect of a channel, under one deadline: identification, session, handler, save, answer. Then it is let go of, with the request. */
export class Connecting implements PendingConnect, PendingHandler, ConnectWaits, HandshakeLookUps, IdentificationWaiter {
  readonly #channel: LiveChannel;
  readonly #registry: ChannelRegistry;
  readonly #transport: Transport;
  readonly #request: HandshakeRequest;
  readonly #message: ChannelConnectMessage;
  /** Revocations count from here on: a look-up that was sent before may be answered with what was true before. */
  readonly #mark: number;
  lookUps = 0;
  loads = 0;
  saves = 0;
  readonly [pendingSince]: number;
  [isWaitedFor] = false;
  #httpSession: HandshakeSession | undefined;
  #identifying: Promise<void> | undefined;
  #isIdentified = false;
  #opensSession = false;
  #isRead = false;

  constructor(channel: LiveChannel, registry: ChannelRegistry, transport: Transport, request: HandshakeRequest) {
    this.#channel = channel;
    this.#registry = registry;
    this.#mark = registry.watch.log.mark;
    this.#transport = transport;
    this.#request = request;
    this.#message = new ChannelConnectMessage(channel, request, this);
    this[pendingSince] = channel.runtime.clock.monotonic();
  }

  /** Makes a channel of a handshake that has arrived, and refuses it or begins its connect. */
  static open(runtime: Runtime, registry: ChannelRegistry, transport: Transport, request: HandshakeRequest): LiveChannel {
    const channel = new LiveChannel(runtime, registry, transport);
    registry.arrived(channel);
    const { handshake, refusal, close } = runtime.events.audience; // who is told of any wants to know when it came
    if (handshake.hasSubscribers || refusal.hasSubscribers || close.hasSubscribers) runtime.lifecycle.arrived(channel, request);
    if (registry.isClosing) channel.endWith('ERR_SHUTDOWN');
    else if (!runtime.isOriginAllowed(request)) {
      runtime.reporter.warn(refusedOrigin(request));
      channel.endWith('ERR_ORIGIN_REFUSED');
    } else if (transport.isOverfull) channel.overflowed();
    else if ((runtime.limits === undefined && runtime.addresses.arePeers) || admitAddress(channel, request)) {
      void new Connecting(channel, registry, transport, request).#run();
    }
    return channel;
  }

  /** Ends the channel where any of it fails, or is not done by the deadline. Waits only for what is not done at once. Never rejects. */
  async #run(): Promise<void> {
    const channel = this.#channel;
    const { plan, credentials, addresses } = channel.runtime;
    channel.connectBegun(this);
    if (begun === undefined) {
      begun = [this];
      awaitTick();
    } else begun.push(this);
    try {
      const identifying = plan.identifiesInside ? undefined : this.prepare();
      if (identifying !== undefined) await identifying;
      if (plan.connect !== undefined && channel.isConnecting) {
        const result = plan.connect(this.#message);
        const returned = result === undefined ? undefined : await Promise.resolve(result);
        if (returned !== undefined) checkReturned('connect', returned);
      }
      const preparing = channel.isConnecting ? this.prepare() : undefined; // where no wrapper came to it
      if (preparing !== undefined) await preparing;
      const saving = channel.isConnecting ? this.#message.commit() : undefined;
      if (saving !== undefined) await this.waitFor('saves', saving);
      if (!channel.isConnecting) return;
      const handshake = new KeptHandshake(this.#request, credentials);
      // whoever is told of the end may want to know where the peer was
      if (plan.disconnect !== undefined || !addresses.arePeers) handshake.putAddress(addresses.of(this.#request));
      channel.connected(handshake);
      const answer = this.#transport.answer(channel, this.#message.takeHeaderLines());
      const isAnswered = typeof answer === 'boolean' ? answer : await answer;
      if (!isAnswered) channel.closed(1006, '');
      else if (channel.isConnecting) {
        this.#httpSession?.keepAlive();
        channel.live();
      }
    } catch (error) {
      // once it has ended, a look-up, load or save that gives up says nothing new
      if (channel.isConnecting || !isThrown(error, ChannelError)) channel.fail(error, this.#message);
    } finally {
      this.#over();
      this.#message[ownConnect] = undefined;
    }
  }

  /** It really waits for something: until now nothing more could arrive, nor time be up. */
  waits(): void {
    if (!this.#channel.isConnecting) return;
    this.#transport.watch(this.#channel);
    if (this.#channel.isConnecting) this.#channel.runtime.connects.beginLate(this);
  }

  get isHandling(): boolean {
    return this.lookUps === 0 && this.loads === 0;
  }

  cancelDeadline(): void {
    if (this[isWaitedFor]) this.#channel.runtime.connects.end(this);
  }

  outlasted(ms: number): void {
    this.#over();
    if (this.#channel.isConnecting) this.#channel.fail(connectTimeout(this, ms), this.#message);
  }

  #over(): void {
    this.cancelDeadline();
    this.#message.seal();
    this.#channel.connectOver();
  }

  /** Does once what the wrappers want at connect, also one that the server could not see; `undefined` where nothing must be waited for. */
  prepare(wanted?: readonly UserSource[], wantsSession = this.#channel.runtime.plan.wantsSession): Promise<void> | undefined {
    const earlier = this.#identifying;
    const identifying = this.#identify(wanted, wantsSession);
    if (!wantsSession) return identifying;
    if (identifying === undefined) return this.#openSession();
    return identifying === earlier ? identifying.then(() => this.#openSession()) : identifying;
  }

  httpSession(reader: HttpSessionReader): Promise<HttpSession | undefined> {
    this.#httpSession ??= new HandshakeSession(this.#channel, reader, (session) => this.waitFor('lookUps', session.read(this.#request)));
    return this.#httpSession.found;
  }

  /** Identification, beside the HTTP session that wrappers of any slot want; then the session, if it is wanted. */
  #identify(wanted: readonly UserSource[] | undefined, wantsSession: boolean): Promise<void> | undefined {
    const { runtime, identity } = this.#channel;
    const { sources: planned, reader, seen } = runtime.plan;
    const own = wanted === undefined || seen.has(wanted) ? undefined : runtime.bindHidden(wanted, planned ?? identity.sources);
    if (this.#identifying !== undefined || this.#isIdentified) return this.#identifying;
    const sources = planned ?? own;
    if (sources === undefined && (reader === undefined || this.#isRead)) return undefined;
    this.#identifying = this.#lookUp(sources, reader, wantsSession);
    return this.#identifying;
  }

  #lookUp(sources: readonly BoundSource[] | undefined, reader: HttpSessionReader | undefined, wantsSession: boolean): Promise<void> {
    this.#opensSession = wantsSession;
    this.lookUps += 1;
    if (sources !== undefined) this.#told?.identifying(this.#channel);
    const isAll = sources !== undefined && reader === undefined && this.#registry.watch.isReady;
    return isAll ? this.#channel.identity.find(this.#request, sources, this, this) : toldOf(this.#lookUpBeside(sources, reader), this);
  }

  async #lookUpBeside(sources: readonly BoundSource[] | undefined, reader: HttpSessionReader | undefined): Promise<void> {
    const reading = reader && this.httpSession(reader);
    reading?.catch(() => undefined); // it is awaited below, if the identification gets so far
    if (sources !== undefined) {
      if (!this.#registry.watch.isReady) {
        await this.#registry.watch.ready();
        this.#channel.runtime.connects.endLate(); // who waited for that may have no time left to look anybody up
        this.#checkOpen();
      }
      await this.#channel.identity.find(this.#request, sources, this);
      this.#found();
    }
    if (reading !== undefined) await reading;
  }

  lookedUp(): Promise<void> | undefined {
    this.lookUps -= 1;
    if (this.#channel.identity.sources !== undefined && !this.#isIdentified) this.#found();
    this.#checkOpen();
    this.#identifying = undefined;
    this.#isRead = true;
    return this.#opensSession ? this.#openSession() : undefined;
  }

  lookUpFailed(error: unknown): never {
    this.lookUps -= 1;
    if (this.#channel.identity.sources !== undefined && !this.#isIdentified) this.#told?.identified(this.#channel, true);
    throw error;
  }

  #found(): void {
    const { runtime, identity } = this.#channel;
    this.#isIdentified = true;
    this.#told?.identified(this.#channel);
    if (identity.isOfEndingSource) runtime.warnOfEnding(identity);
    this.#registry.identified(this.#channel, this.#mark, this[pendingSince]);
    if (runtime.limits !== undefined) admitUser(this.#channel, runtime.limits); // few servers have any
  }

  /** Who tells of identifications, where anybody listens. */
  get #told(): Lifecycle | undefined {
    const { events, lifecycle } = this.#channel.runtime;
    return events.audience.identification.hasSubscribers ? lifecycle : undefined;
  }

  get aborting(): LiveChannel {
    return this.#channel;
  }

  claim(keys: IdentityKeys): void {
    this.#registry.claim(this.#channel, keys, this.#mark);
  }

  #openSession(): Promise<void> | undefined {
    this.#checkOpen(); // nobody would end what is opened now
    if (this.#channel.runtime.opensSessions) return undefined;
    const loading = this.#channel.session.open(this.#channel.identity);
    return loading && this.waitFor('loads', loading);
  }

  /** Waits for what a wrapper or a session does by itself: it counts where the deadline passes meanwhile. */
  async waitFor<T>(what: keyof ConnectWaits, pending: Promise<T>): Promise<T> {
    this[what] += 1;
    try {
      const result = await pending;
      this.#checkOpen();
      return result;
    } finally {
      this[what] -= 1;
    }
  }

  /** A late answer goes no further: nobody would call disconnect for what a handler does now. */
  #checkOpen(): void {
    if (!this.#channel.isOpen) throw new ChannelError('ERR_CHANNEL_CLOSED', 'The channel ended while its connect was being prepared.');
  }
}
