import type { ChannelRegistry } from '../channel/channel-registry.js';
import type { ChannelWatch } from '../channel/channel-watch.js';
import type { Connection } from '../channel/connection.js';
import type { Runtime } from '../channel/runtime.js';
import type { Revocation, RevocationFeed } from '../contracts/revocation-feed.js';
import { withDeadline } from '../deadline.js';
import { ChannelError } from '../errors.js';
import { type Revalidate, sweepMsOf } from '../identity/revalidation.js';
import type { BoundSource, IdentityKeys } from '../identity/user-source.js';
import { ignore } from '../maybe-promise.js';
import type { Channel } from '../messages.js';
import { Expiry } from './expiry.js';
import { Grants } from './grants.js';
import { Hints } from './hints.js';
import { MessageChecks } from './message-checks.js';
import { Reauthentications } from './reauthentications.js';
import { Rechecks } from './rechecks.js';
import { RevocationLog } from './revocation-log.js';
import { Revocations } from './revocations.js';
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
  readonly #runtime: Runtime;
  readonly #registry: ChannelRegistry;
  readonly #settings: LiveSettings;
  readonly #log: RevocationLog;
  readonly #grants: Grants;
  readonly #rechecks: Rechecks;
  readonly #hints: Hints;
  readonly #messageChecks: MessageChecks;
  readonly #staleness: Staleness;
  readonly #sweeps: Sweeps;
  readonly #expiry: Expiry;
  readonly #revocations: Revocations;
  readonly #subscriptions: Subscriptions;
  readonly #reauthentications: Reauthentications;
  /** How many times each revocation is being published right now: it was acted on before it comes back. */
  readonly #publishing = new Map<string, number>();

  constructor(runtime: Runtime, registry: ChannelRegistry, settings: LiveSettings) {
    const { clock, connectTimeoutMs } = runtime;
    this.#runtime = runtime;
    this.#registry = registry;
    this.#settings = settings;
    this.#log = new RevocationLog(clock, connectTimeoutMs);
    this.#grants = new Grants(clock);
    this.#rechecks = new Rechecks(runtime, registry, this.#grants, {
      answered: (channel) => this.#answered(channel),
      failed: (channel, askedAt) => this.#failed(channel, askedAt),
    });
    this.#hints = new Hints(this.#rechecks);
    this.#staleness = new Staleness(clock, settings.maxStaleMs, (channels) => this.#hints.add(channels));
    this.#sweeps = new Sweeps({
      clock,
      rechecks: this.#rechecks,
      everyMs: (source) => sweepMsOf(this.#revalidationOf(source)),
      channelsOf: (source) => [...registry.identifiedOnes()].filter((channel) => channel.identity.source === source),
    });
    this.#expiry = new Expiry({
      clock,
      identified: () => registry.identifiedOnes(),
      check: (channels) => this.#rechecks.check(channels),
      onExpiring: settings.onExpiring && ((channel, inMs) => this.#tellExpiring(channel, inMs)),
    });
    this.#revocations = new Revocations({ clock, registry, log: this.#log, hints: this.#hints, events: runtime.events });
    this.#subscriptions = new Subscriptions(runtime, { revoked: (revocation) => this.#revoked(revocation), gap: () => this.#gap() });
    this.#reauthentications = new Reauthentications(runtime, registry, this.#grants, this.#log);
    this.#messageChecks = new MessageChecks(this.#rechecks, (source) => this.#revalidationOf(source) === 'message');
  }

  #revalidationOf(source: BoundSource): Revalidate {
    return this.#runtime.plan.revalidations.get(source) ?? source.revalidate ?? this.#settings.revalidate;
  }

  ready(): Promise<void> | undefined {
    const { revocations } = this.#settings;
    const feeds = new Set(this.#runtime.plan.sources?.flatMap((source) => source.feeds ?? []));
    if (revocations !== undefined) feeds.add(revocations);
    return this.#subscriptions.start(feeds, true);
  }

  mark(): number {
    return this.#log.mark;
  }

  claimed(channel: Connection, keys: IdentityKeys, mark: number): void {
    const ended = this.#log.endedSince(mark, keys);
    if (ended !== undefined) this.#revocations.end([channel], { [ended]: keys[ended] });
  }

  identified(channel: Connection, mark: number): void {
    const { keys } = channel;
    const { source } = channel.identity;
    if (keys === undefined || source === undefined) return;
    this.claimed(channel, keys, mark);
    if (!channel.isOpen) return;
    this.#grants.begin(channel);
    this.#expiry.note(channel);
    this.#sweeps.start(source);
    // where nobody asks for it, messages do not even ask
    if (this.#revalidationOf(source) === 'message') this.beforeMessage ??= (one) => this.#messageChecks.before(one);
    void this.#subscriptions.start(source.feeds ?? [], false); // those of a wrapper that the server could not see
    if (this.#log.isDoubtedSince(mark, keys)) this.#hints.add([channel]);
  }

  async reauthenticate(channel: Connection, key: unknown): Promise<boolean> {
    const isDone = await this.#reauthentications.run(channel, key);
    if (isDone) {
      this.#runtime.lifecycle.renewed(channel, 'reauthenticated');
      this.#answered(channel);
    }
    return isDone;
  }

  idle(): void {
    this.#rechecks.stop();
    this.#staleness.stop();
    this.#sweeps.stop();
    this.#expiry.stop();
  }

  /** Ends the channels that `revocation` speaks of here, then on the other nodes; resolves to how many were ended here. */
  async disconnect(revocation: Revocation): Promise<number> {
    const ended = this.#revocations.act(revocation);
    const { revocations } = this.#settings;
    if (typeof revocations?.publish === 'function') await this.#publish(revocations, revocation);
    return ended;
  }

  async #publish(feed: RevocationFeed, revocation: Revocation): Promise<void> {
    const { clock, connectTimeoutMs: ms } = this.#runtime;
    const name = JSON.stringify(revocation);
    this.#publishing.set(name, (this.#publishing.get(name) ?? 0) + 1);
    try {
      const onTimeout = (): Error => new Error(`The feed did not publish within ${ms} ms.`);
      await withDeadline(async () => feed.publish?.(revocation), { clock, ms, onTimeout });
    } catch (cause) {
      const text = 'A revocation was acted on here, but could not be published to other nodes.';
      throw new ChannelError('ERR_REVOCATION_FEED_FAILED', text, { cause });
    } finally {
      const left = (this.#publishing.get(name) ?? 1) - 1;
      if (left === 0) this.#publishing.delete(name);
      else this.#publishing.set(name, left);
    }
  }

  /** Ends all subscriptions. */
  async stop(): Promise<void> {
    this.idle();
    await this.#subscriptions.stop();
  }

  #revoked(revocation: Revocation): void {
    if (this.#publishing.size > 0 && this.#publishing.has(JSON.stringify(revocation))) return;
    this.#revocations.act(revocation);
  }

  #gap(): void {
    this.#log.noteGap();
    this.#hints.add(this.#registry.identifiedOnes());
  }

  #answered(channel: Connection): void {
    this.#staleness.answered(channel);
    this.#expiry.note(channel);
    const { source } = channel.identity;
    if (source !== undefined) this.#sweeps.start(source);
  }

  /** Where sweeps come, it counts since when nothing was heard; else since it was asked. */
  #failed(channel: Connection, askedAt: number): void {
    const { source, verifiedAt } = channel.identity;
    const isSwept = source !== undefined && sweepMsOf(this.#revalidationOf(source)) !== undefined;
    this.#staleness.failed(channel, isSwept ? verifiedAt : askedAt);
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
