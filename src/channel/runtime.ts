import type { IncomingMessage } from 'node:http';
import type { Http2ServerRequest } from 'node:http2';
import type { Clock } from '../contracts/clock.js';
import type { HttpSessionReader } from '../contracts/http-session-reader.js';
import type { RevocationFeed } from '../contracts/revocation-feed.js';
import { Dependencies } from '../dependencies.js';
import { type EventOptions, Events } from '../events.js';
import type { Identification } from '../identity/identification.js';
import { checkRequest, type Identified, identificationOf, identifiedBy } from '../identity/identify-request.js';
import { KnownCredentials } from '../identity/known-credentials.js';
import type { BoundSource, UserSource } from '../identity/user-source.js';
import { type DependencyContainer, REVOCATION_FEED } from '../injection.js';
import { isUpgrade, mayChange, type OriginOptions, originRule } from '../origin.js';
import type { Outcomes } from '../outcomes.js';
import { PendingHandlers } from '../pending-handlers.js';
import { refusedOrigin } from '../refused-origin.js';
import { Reporter, type ReporterOptions } from '../reporter.js';
import { SessionRecords } from '../session/session-records.js';
import { type ChannelSessionOptions, sessionSettings } from '../session/session-settings.js';
import type { TimeLimit } from '../time/deadline.js';
import { guardedClock } from '../time/guarded-clock.js';
import { ChannelLimits, type LimitOptions } from './channel-limits.js';
import { type Bindable, type ChannelPlan, credentialsOf, planChannels, sessionOptionsOf } from './channel-plan.js';
import { checkKnown } from './check-identities.js';
import { ClientAddresses } from './client-addresses.js';
import { Heartbeat } from './heartbeat.js';
import { HttpSessionToucher } from './http-session-toucher.js';
import type { InboxLimits } from './inbox.js';
import { Lifecycle } from './lifecycle.js';
import type { Slots } from './slots.js';

/** The options of a server that its channels go by. */
export interface RuntimeSettings extends OriginOptions, ReporterOptions, EventOptions, Omit<InboxLimits, 'mayOrder'>, LimitOptions {
  readonly container: DependencyContainer | undefined;
  readonly session: ChannelSessionOptions;
  readonly clock: Clock;
  readonly outcomes: Outcomes;
  readonly connectTimeoutMs: number;
  readonly handlerTimeoutMs: number;
  readonly heartbeatMs: number;
  readonly maxBufferedBytes: number;
  readonly trustProxy: boolean;
}

/** What all channels of a server share, but for the list of them. */
export class Runtime {
  readonly plan: ChannelPlan;
  readonly clock: Clock;
  readonly outcomes: Outcomes;
  readonly reporter: Reporter;
  readonly events: Events;
  readonly lifecycle: Lifecycle;
  readonly connectTimeoutMs: number;
  /** What each look-up, load and save has that is no part of a connect: as long as one. */
  readonly timeLimit: TimeLimit;
  readonly maxBufferedBytes: number;
  /** The connects that are waited for. */
  readonly connects: PendingHandlers;
  /** The receive and disconnect handlers that are waited for. */
  readonly handlers: PendingHandlers;
  readonly heartbeat: Heartbeat;
  /** `undefined` where there are none. */
  readonly limits: ChannelLimits | undefined;
  readonly addresses: ClientAddresses;
  readonly sessions: SessionRecords;
  /** Whether the session of each channel is open from the first: wrappers want it, and nothing of it need be loaded. */
  readonly opensSessions: boolean;
  /** The HTTP sessions that open channels keep alive. */
  readonly httpSessions: HttpSessionToucher;
  readonly credentials: KnownCredentials;
  readonly isOriginAllowed: ReturnType<typeof originRule>;
  readonly #dependencies: Dependencies;
  /** Of wrappers that the server could not see, where it sees none that reads HTTP sessions. */
  #hiddenReader: HttpSessionReader | undefined;
  /** Weak: a function of the application's own may make a wrapper anew for every message. */
  readonly #bindings = new WeakMap<object, unknown>();

  /**
   * @throws {TypeError} when an origin is none, or two wrappers disagree about the session.
   * @throws {ChannelError} `ERR_DEPENDENCY_MISSING` when a wrapper needs something that is neither given nor registered.
   */
  constructor(slots: Slots, settings: RuntimeSettings) {
    const { container, connectTimeoutMs } = settings;
    const clock = guardedClock(settings.clock, (error) => this.reporter.error(error));
    this.clock = clock;
    this.outcomes = settings.outcomes;
    this.connectTimeoutMs = connectTimeoutMs;
    this.timeLimit = { clock, ms: connectTimeoutMs };
    this.maxBufferedBytes = settings.maxBufferedBytes;
    this.connects = new PendingHandlers(clock, connectTimeoutMs);
    this.handlers = new PendingHandlers(clock, settings.handlerTimeoutMs);
    this.reporter = new Reporter(settings, clock);
    this.events = new Events(clock, settings);
    this.lifecycle = new Lifecycle(this.events);
    const isLimited = settings.maxChannelsPerAddress !== undefined || settings.maxChannelsPerUser !== undefined;
    this.addresses = new ClientAddresses(settings);
    this.limits = isLimited ? new ChannelLimits(settings) : undefined;
    this.heartbeat = new Heartbeat(clock, this.events, settings.heartbeatMs);
    this.httpSessions = new HttpSessionToucher(this.timeLimit, this.reporter);
    this.credentials = new KnownCredentials(this.reporter);
    this.isOriginAllowed = originRule(settings);
    this.#dependencies = new Dependencies(container, connectTimeoutMs, clock);
    this.credentials.learn(credentialsOf(slots));
    this.plan = planChannels(slots, settings, (bindable) => this.bind(bindable));
    this.sessions = new SessionRecords({
      settings: sessionSettings([settings.session, ...sessionOptionsOf(slots)], this.#dependencies),
      clock,
      random: Math.random,
      deadlineMs: connectTimeoutMs,
      events: this.events,
      report: (error) => this.reporter.error(error),
    });
    this.opensSessions = this.plan.wantsSession && this.sessions.settings.scope === 'channel';
  }

  /** The feed of revocations that the server was given, or the registered one; `undefined` where there is neither. */
  findRevocationFeed(own: RevocationFeed | undefined): RevocationFeed | undefined {
    const names = { wrapper: 'ChannelServer', option: 'revocations', token: 'REVOCATION_FEED', method: 'subscribe' };
    return this.#dependencies.optional(own, REVOCATION_FEED, names);
  }

  /** Who sent `request`, as the wrappers that the server saw when it was built would find it. */
  async identify(request: IncomingMessage | Http2ServerRequest): Promise<Identified> {
    checkRequest('identify', request);
    const { sources } = this.plan;
    if (sources === undefined) throw new TypeError('identify: no wrapper of this server identifies channels, so it has no sources to ask');
    if ((isUpgrade(request) || mayChange(request)) && !this.isOriginAllowed(request)) throw refusedOrigin(request);
    const found = await identificationOf(request, sources, this.timeLimit);
    this.warnOfEnding(found);
    return identifiedBy(found);
  }

  /** Somebody was identified, or would have been: a warning where the source ends, or has. */
  warnOfEnding({ source, authentication }: Identification): void {
    if (authentication?.hasSourceEnded === true) this.reporter.sourceEnding(String(authentication.source), undefined);
    else if (source?.until !== undefined) this.reporter.sourceEnding(source.source, source.until);
  }

  /** Resolves what something depends on, once. */
  bind<Bound>(bindable: Bindable<Bound>): Bound {
    if (!this.#bindings.has(bindable)) {
      this.#bindings.set(bindable, bindable.bind(this.#dependencies));
      this.credentials.learn(bindable.credentials ?? []);
    }
    return this.#bindings.get(bindable) as Bound;
  }

  /** Binds sources that the server did not see when it was built, and so held neither to its one reader nor to those that it `knows`. */
  bindHidden(hidden: readonly UserSource[], known: readonly BoundSource[] | undefined): readonly BoundSource[] {
    const sources = hidden.map((source) => this.bind(source));
    for (const { reader } of sources) if (reader !== undefined) this.checkReader(reader);
    if (known !== undefined) checkKnown(sources, known);
    return sources;
  }

  /**
   * Holds the wrappers that the server could not see to its one reader of HTTP sessions, as all others were when it was built.
   *
   * @throws {TypeError} when `reader` is another one.
   */
  checkReader(reader: HttpSessionReader): void {
    if (reader === this.plan.reader) return;
    this.#hiddenReader ??= this.plan.reader ?? reader;
    if (reader === this.#hiddenReader) return;
    throw new TypeError(
      'A wrapper that is called from a function of your own reads HTTP sessions through another reader than the wrappers before it: give all ' +
        'the same sessions, a server has one reader',
    );
  }
}
