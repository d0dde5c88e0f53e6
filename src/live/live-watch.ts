import type { ChannelRegistry } from '../channel/channel-registry.js';
import type { ChannelWatch } from '../channel/channel-watch.js';
import type { Connection } from '../channel/connection.js';
import type { Runtime } from '../channel/runtime.js';
import type { Revocation, RevocationFeed } from '../contracts/revocation-feed.js';
import { ChannelError } from '../errors.js';
import type { RenewalEvent } from '../events.js';
import { type Revalidate, sweepMsOf } from '../identity/revalidation.js';
import type { BoundSource, IdentityKeys } from '../identity/user-source.js';
import { ignore } from '../maybe-promise.js';
import type { Channel } from '../messages.js';
import { withDeadline } from '../time/deadline.js';
import { Echoes } from './echoes.js';
import { Expiry } from './expiry.js';
import { Grants } from './grants.js';
import { Hints } from './hints.js';
import { MessageChecks } from './message-checks.js';
import { Reauthentications } from './reauthentications.js';
import { Rechecks } from './rechecks.js';
import { RevocationLog } from './revocation-log.js';
import { Revocations, toldRevocation } from './revocations.js';
import { Staleness } from './staleness.js';
import { Subscriptions } from './subscriptions.js';
import { Sweeps } from './sweeps.js';

/** The options of a server that say how long its channels may speak. */
export interface LiveSettings {
  readonly revalidate: Revalidate;
  readonly maxStaleMs: number;
  readonly onExpiring: ((channel: Channel, inMs: number) => void) | undefined;
  /** Carries revocations between processes. */
  readonly revocations: RevocationFeed | undefined;
}

/** Watches over the channels of one server: ends those who have lost the right to speak, and nobody else. */
export class LiveWatch implements ChannelWatch {
  beforeMessage: ((channel: Connection) => Promise<void> | undefined) | undefined;
  isReady = false;
  readonly log: RevocationLog;
  /** Weak: a function of the application's own may make a source anew for every channel. */
  watched = new WeakSet<BoundSource>();
  readonly #runtime: Runtime;
  readonly #registry: ChannelRegistry;
  readonly #settings: LiveSettings;
  readonly #grants: Grants;
  readonly #rechecks: Rechecks;
  readonly #hints: Hints;
  /** Many channels at a time: what is hinted at of a few does not wait until all of these are looked up. */
  readonly #reviews: Hints;
  readonly #messageChecks: MessageChecks;
  readonly #staleness: Staleness;
  readonly #sweeps: Sweeps;
  readonly #expiry: Expiry;
  readonly #revocations: Revocations;
  readonly #subscriptions: Subscriptions;
  #feeds: readonly RevocationFeed[] | undefined;
  readonly #reauthentications: Reauthentications;
  readonly #echoes: Echoes;

  constructor(runtime: Runtime, registry: ChannelRegistry, settings: LiveSettings) {
    const { clock, connectTimeoutMs } = runtime;
    this.#runtime = runtime;
    this.#registry = registry;
    this.#settings = settings;
    this.log = new RevocationLog(clock, connectTimeoutMs);
    this.#echoes = new Echoes(clock);
    this.#grants = new Grants(clock, this.log);
    const parts = { runtime, registry, grants: this.#grants, log: this.log };
    this.#rechecks = new Rechecks(parts, {
      answered: (channel, mark) => this.#answered(channel, mark),
      wentOver: (channel, mark) => this.#wentOver(channel, 'successor', mark),
      mayGoOver: (channel) => this.#reauthentications.isUnderWay(channel),
      expired: (channel) => this.#expiry.note(channel),
      failed: (channel, askedAt) => this.#failed(channel, askedAt),
      waits: (channel) => this.#staleness.waits(channel),
    });
    this.#hints = new Hints(this.#rechecks);
    this.#reviews = new Hints(this.#rechecks);
    this.#staleness = new Staleness(clock, settings.maxStaleMs, (channels) => this.#reviews.add(channels));
    this.#sweeps = new Sweeps(clock, this.#rechecks, (ms) => this.#sweptEvery(ms));
    this.#expiry = new Expiry({
      clock,
      identified: () => registry.identifiedOnes(),
      check: (channels) => this.#rechecks.check(channels),
      isInDoubt: (channel) => this.#hints.has(channel) || this.#reviews.has(channel) || this.#reauthentications.isUnderWay(channel),
      onExpiring: settings.onExpiring && ((channel, inMs) => this.#tellExpiring(channel, inMs)),
    });
    this.#revocations = new Revocations({ clock, registry, log: this.log, hints: this.#hints, events: runtime.events });
    this.#subscriptions = new Subscriptions(runtime, {
      revoked: (revocation) => void this.#revocations.act(this.#echoes.heard(toldRevocation(revocation))),
      gap: () => this.#gap(),
    });
    this.#reauthentications = new Reauthentications(parts);
    this.#messageChecks = new MessageChecks(this.#rechecks, (source) => this.#revalidationOf(source) === 'message');
  }

  #revalidationOf(source: BoundSource): Revalidate {
    return this.#runtime.plan.revalidations.get(source) ?? source.revalidate ?? this.#settings.revalidate;
  }

  ready(): Promise<void> | undefined {
    this.#feeds ??= this.#feedsOfPlan();
    const starting = this.#subscriptions.start(this.#feeds, true);
    this.isReady = starting === undefined;
    return starting;
  }

  /** Those that the server saw when it was built. */
  #feedsOfPlan(): readonly RevocationFeed[] {
    const { revocations } = this.#settings;
    const ofSources = this.#runtime.plan.sources?.flatMap((source) => source.feeds ?? []) ?? [];
    return revocations === undefined ? ofSources : [...ofSources, revocations];
  }

  claimed(channel: Connection, keys: IdentityKeys, mark: number): void {
    if (this.log.mark === mark) return; // nothing has been revoked since
    const ended = this.log.endedSince(mark, keys);
    if (ended !== undefined) this.#revocations.end([channel], ended);
  }

  identified(channel: Connection, mark: number): void {
    const { identity } = channel;
    const { keys, source } = identity;
    if (keys === undefined || source === undefined) return;
    this.claimed(channel, keys, mark);
    if (!channel.isOpen) return;
    if (this.log.mark !== mark && this.log.isTooOldSince(mark, keys, identity.issuedAt)) {
      this.#revocations.endAsTooOld(channel);
      return;
    }
    if (identity.authentication?.expiresAt !== undefined) {
      this.#grants.begin(channel);
      this.#expiry.note(channel);
    }
    this.#startSweeps(channel);
    // where nobody asks for it, messages do not even ask
    if (this.#revalidationOf(source) === 'message') this.beforeMessage ??= (one) => this.#messageChecks.before(one);
    // those of a wrapper that the server could not see
    if (source.feeds !== undefined && source.feeds.length > 0) void this.#subscriptions.start(source.feeds, false);
    this.watched.add(source);
    if (this.log.mark !== mark && this.log.isDoubtedSince(mark, keys)) this.#hints.add([channel]);
  }

  async reauthenticate(channel: Connection, key: unknown): Promise<boolean> {
    const { mark } = this.log;
    const isDone = await this.#reauthentications.run(channel, key);
    if (isDone) this.#wentOver(channel, 'reauthenticated', mark);
    return isDone;
  }

  idle(): void {
    this.watched = new WeakSet();
    this.#rechecks.stop();
    this.#staleness.stop();
    this.#sweeps.stop();
    this.#expiry.stop();
    this.#subscriptions.endLate();
  }

  /** Ends the channels that `revocation` speaks of here, then on the other nodes; resolves to how many were ended here. */
  async disconnect(revocation: Revocation): Promise<number> {
    const ended = this.#revocations.act(revocation);
    const { revocations } = this.#settings;
    if (typeof revocations?.publish === 'function') await this.#publish(revocations, revocation);
    return ended;
  }

  async #publish(feed: RevocationFeed, revocation: Revocation): Promise<void> {
    const { timeLimit } = this.#runtime;
    this.#echoes.published(revocation);
    try {
      const onTimeout = (): Error => new Error(`The feed did not publish within ${timeLimit.ms} ms.`);
      await withDeadline(async () => feed.publish?.(revocation), { ...timeLimit, onTimeout });
    } catch (cause) {
      const text = 'A revocation was acted on here, but could not be published to other nodes.';
      throw new ChannelError('ERR_REVOCATION_FEED_FAILED', text, { cause });
    }
  }

  /** Ends all subscriptions. */
  async stop(): Promise<void> {
    this.idle();
    await this.#subscriptions.stop();
  }

  #gap(): void {
    this.log.noteGap();
    this.#reviews.add(this.#registry.identifiedOnes());
  }

  /** A doubt that came since its token was asked for, at `mark`, did not find it by that. */
  #wentOver(channel: Connection, how: RenewalEvent['how'], mark: number): void {
    this.#runtime.lifecycle.renewed(channel, how);
    this.#runtime.warnOfEnding(channel.identity);
    this.#answered(channel, mark);
    const { keys, issuedAt } = channel.identity;
    if (keys === undefined) return;
    if (this.log.isTooOldSince(mark, keys, issuedAt)) this.#revocations.endAsTooOld(channel);
    else if (this.log.isDoubtedSince(mark, keys)) this.#hints.add([channel]);
  }

  /** A doubt that came since it was asked for, at `mark`, stays until somebody can tell of that. */
  #answered(channel: Connection, mark: number): void {
    const { keys } = channel.identity;
    if (keys === undefined || this.log.mark === mark || !this.log.isDoubtedSince(mark, keys)) this.#staleness.answered(channel);
    this.#expiry.note(channel);
    this.#startSweeps(channel);
  }

  #startSweeps(channel: Connection): void {
    const ms = this.#sweepMsOf(channel);
    if (ms !== undefined) this.#sweeps.start(ms);
  }

  /** Where there is none left, the sweeps end until one comes again. */
  #sweptEvery(ms: number): readonly Connection[] {
    const channels = [...this.#registry.identifiedOnes()].filter((channel) => this.#sweepMsOf(channel) === ms);
    if (channels.length === 0) this.watched = new WeakSet();
    return channels;
  }

  /** How many milliseconds lie between the sweeps that look a channel up; `undefined` where none does. */
  #sweepMsOf({ identity: { source } }: Connection): number | undefined {
    return source?.recheck === undefined ? undefined : sweepMsOf(this.#revalidationOf(source));
  }

  /** Where sweeps come in time, it counts since when nothing was heard; else since it was asked. */
  #failed(channel: Connection, askedAt: number): void {
    const isSweptInTime = (this.#sweepMsOf(channel) ?? Number.POSITIVE_INFINITY) < this.#settings.maxStaleMs;
    this.#staleness.failed(channel, isSweptInTime ? channel.identity.verifiedAt : askedAt);
  }

  #tellExpiring(channel: Connection, inMs: number): void {
    try {
      const told: unknown = this.#settings.onExpiring?.(channel, inMs);
      ignore(told);
    } catch (error) {
      this.#runtime.reporter.error(error);
    }
  }
}
