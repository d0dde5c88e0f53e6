import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ChannelRegistry } from '../channel/channel-registry.js';
import type { Connection } from '../channel/connection.js';
import type { Runtime } from '../channel/runtime.js';
import { mayHandle } from '../channel/unfinished-work.js';
import { foundOrMade } from '../found-or-made.js';
import { groupedBy } from '../grouped-by.js';
import { boundedLookUp, type LookUpSignal, lookUpFailed } from '../identity/bounded-look-up.js';
import { type Credential, maxSuccessors, type Recheck, type Standing } from '../identity/recheck.js';
import type { BoundSource } from '../identity/user-source.js';
import type { TokenId } from '../token-id.js';
import type { Grants, OtherToken } from './grants.js';
import type { RevocationLog } from './revocation-log.js';
import { Slices, type Slicing } from './slices.js';

/** How many channels are judged in one turn of the event loop: ending one takes its time. */
const judgedInOneTurn = 250;

/** The channels of one credential. */
export interface Group {
  readonly credential: Credential;
  readonly channels: Iterable<Connection>;
}

interface ListedGroup extends Group {
  readonly channels: Connection[];
}

/** What looking up live channels needs of a server. */
export interface LiveParts {
  readonly runtime: Runtime;
  readonly registry: ChannelRegistry;
  readonly grants: Grants;
  readonly log: RevocationLog;
}

/** Who is told what came of it. */
export interface RecheckListener {
  /** It was said of a channel, which was asked for at `mark`, that it may go on. */
  answered(channel: Connection, mark: number): void;
  /** It lives by another token now, which was asked for at `mark`. */
  wentOver(channel: Connection, mark: number): void;
  /** Whether a token is being looked up to which a channel may go over. */
  mayGoOver(channel: Connection): boolean;
  /** The time of a channel is over, if it is not lengthened by what is being looked up. */
  expired(channel: Connection): void;
  /** Nobody can tell of a channel; it was asked at `askedAt`. */
  failed(channel: Connection, askedAt: number): void;
  /** Nobody could tell of others by now, and it may take long until it is asked for. */
  waits(channel: Connection): void;
}

/** What follows from an answer that names a successor: channels go over to it, or else stand as they do. */
interface Heir extends Asked {
  readonly channel: Connection;
  readonly standing: Standing;
}

/** What was asked for, when, and by which question, counted from 1: a later one has the better answer. */
interface Asked {
  readonly source: BoundSource;
  readonly credentialId: string;
  readonly question: number;
  /** On the monotonic clock. */
  readonly at: number;
  /** What is revoked or doubted after it, the answer may not know of. */
  readonly mark: number;
}

/** How credentials stand, by their ids, or why nobody can tell of any. */
type Standings = ReadonlyMap<string, Standing | Error> | Error;

/** One round: its channels are of one source. An error is reported once for all of them. */
interface Round {
  readonly source: BoundSource;
  readonly recheck: Recheck;
  isReported: boolean;
  judged: number;
  /** When it began; `undefined` where nobody listens. */
  readonly start: number | undefined;
  /** How many credentials were asked for, of how many it could not be told, and how many channels ended by it. */
  asked: number;
  failed: number;
  ended: number;
}

/** Looks up again what identified channels, in batches, and does what the answers say. */
export class Rechecks {
  readonly #parts: LiveParts;
  readonly #listener: RecheckListener;
  readonly #slices: Slices;
  #questions = 0;

  constructor(parts: LiveParts, listener: RecheckListener) {
    this.#parts = parts;
    this.#listener = listener;
    this.#slices = new Slices(parts.runtime.clock);
  }

  /** Asks for all `channels`; resolves when everything is answered or has failed, and never rejects. */
  async check(channels: Iterable<Connection>): Promise<void> {
    const bySource = groupedBy(channels, ({ identity }) => identity.source);
    await Promise.all(Array.from(bySource, ([source, ofSource]) => this.checkOf(source, ofSource)));
  }

  /**
   * {@link check} for channels of one source.
   *
   * @param spreadMs over how long look-ups are spread where they cannot be asked for in batches.
   */
  checkOf(source: BoundSource, channels: readonly Connection[], spreadMs = 0): Promise<void> {
    return this.ask(source, byCredential(channels), {
      spreadMs,
      isWanted: ({ channels: asked }) => asked.some(mayHandle),
      waits: (rest) => {
        for (const channel of rest.flatMap(({ channels: waiting }) => waiting)) if (mayHandle(channel)) this.#listener.waits(channel);
      },
    });
  }

  /** {@link checkOf} for the channels of some credentials. */
  async ask<Each extends Group>(source: BoundSource, groups: readonly Each[], slicing?: Omit<Slicing<Each>, 'isBatched'>): Promise<void> {
    const { recheck } = source;
    if (recheck === undefined) return;
    const start = this.#parts.runtime.events.start('revalidation');
    const round: Round = { source, recheck, isReported: false, judged: 0, start, asked: 0, failed: 0, ended: 0 };
    const how = { ...slicing, isBatched: recheck.isBatched };
    await this.#slices.run(groups, how, (slice) => this.#askSome(round, slice));
    this.#tell(round);
  }

  /** Asks one question, and does what the answers say; resolves to whether nobody could tell of any of `groups`. */
  async #askSome(round: Round, groups: readonly Group[]): Promise<boolean> {
    this.#questions += 1;
    const when = { question: this.#questions, at: this.#parts.runtime.clock.monotonic(), mark: this.#parts.log.mark };
    const credentials = groups.map(({ credential }) => credential);
    const standings = await this.#standings(round, credentials);
    const heirs = new Map<TokenId, Heir[]>();
    let failed = 0;
    for (const { credential, channels } of groups) {
      const standing = standingIn(standings, credential.id);
      if (standing instanceof Error) failed += 1;
      const asked: Asked = { source: round.source, credentialId: credential.id, ...when };
      for (const channel of channels) {
        if (!isStill(channel, asked)) continue;
        if (standing instanceof Error) this.#failed(round, channel, standing, asked.at);
        else {
          channel.identity.answered = asked.question;
          if (standing?.successorId !== undefined && !this.#parts.grants.isRevoked(standing))
            foundOrMade(heirs, standing.successorId, () => []).push({ ...asked, channel, standing });
          else this.#judge(round, channel, standing, asked);
        }
        const pause = this.#breathe(round);
        if (pause !== undefined) await pause;
      }
    }
    round.failed += failed;
    await this.#follow(round, heirs, 1);
    return failed === groups.length;
  }

  #tell({ source: { source }, asked, ended, failed, start }: Round): void {
    const { events } = this.#parts.runtime;
    if (asked === 0 || !events.isHeard('revalidation')) return;
    events.emit({ type: 'revalidation', source, asked, ended, failed, durationMs: events.since(start) });
  }

  /** What waits for its turn is not asked, and no timer is left. */
  stop(): void {
    this.#slices.stop();
  }

  async #standings(round: Round, credentials: readonly Credential[]): Promise<Standings> {
    const ask = (aborting: LookUpSignal): ReturnType<Recheck['ask']> => round.recheck.ask(credentials, aborting);
    round.asked += credentials.length;
    try {
      return await boundedLookUp('Looking up live channels again', ask, this.#parts.runtime.timeLimit);
    } catch (error) {
      const failed = lookUpFailed(error);
      this.#report(round, failed);
      return failed;
    }
  }

  /** Channels go over to the successors of their tokens, where these count; else they stand as was found before. */
  async #follow(round: Round, heirs: ReadonlyMap<TokenId, readonly Heir[]>, depth: number): Promise<void> {
    const { source } = round;
    await this.#slices.run([...heirs], round.recheck, async (slice) => {
      const asked = { at: this.#parts.runtime.clock.monotonic(), mark: this.#parts.log.mark };
      const credentials = slice.map(([id]) => ({ id }));
      const standings = await this.#standings(round, credentials);
      const next = new Map<TokenId, Heir[]>();
      for (const [tokenId, ofToken] of slice) {
        const standing = standingIn(standings, tokenId);
        if (standing instanceof Error) round.failed += 1;
        for (const heir of ofToken) {
          const { channel } = heir;
          if (!isStill(channel, heir)) continue;
          if (standing instanceof Error || standing === undefined) this.#judge(round, channel, heir.standing, heir);
          else if (standing.successorId !== undefined && depth < maxSuccessors)
            foundOrMade(next, standing.successorId, () => []).push(heir);
          else if (this.#parts.grants.mayGoOver(channel, { tokenId, standing }, asked.mark))
            this.#goOver(channel, { tokenId, standing, source }, asked);
          else this.#judge(round, channel, heir.standing, heir);
          const pause = this.#breathe(round);
          if (pause !== undefined) await pause;
        }
      }
      if (next.size > 0) await this.#follow(round, next, depth + 1);
      return standings instanceof Error;
    });
  }

  #goOver(channel: Connection, other: OtherToken, { at, mark }: { readonly at: number; readonly mark: number }): void {
    this.#parts.grants.goOver(channel, other, at);
    this.#parts.registry.rename(channel);
    this.#listener.wentOver(channel, mark);
  }

  #judge(round: Round, channel: Connection, standing: Standing | undefined, { at, mark }: Asked): void {
    const { identity } = channel;
    const { keys, endsAt } = identity;
    const code = this.#parts.grants.judge(channel, standing, at);
    if (code === undefined) {
      if (identity.endsAt > endsAt) this.#parts.runtime.lifecycle.renewed(channel, 'extended');
      this.#listener.answered(channel, mark);
      return;
    }
    const isInDoubt = keys !== undefined && this.#parts.log.isDoubtedSince(mark, keys);
    const isAwaited = identity.endsAt <= this.#parts.runtime.clock.monotonic() && this.#listener.mayGoOver(channel);
    if (code === 'ERR_TOKEN_EXPIRED' && (isInDoubt || isAwaited)) this.#listener.expired(channel);
    else if (channel.cutOff(code)) round.ended += 1;
  }

  #failed(round: Round, channel: Connection, error: Error, askedAt: number): void {
    this.#report(round, error);
    this.#listener.failed(channel, askedAt);
  }

  /** Once for each round: a database that is gone would be reported for each of its channels. */
  #report(round: Round, error: Error): void {
    if (!round.isReported) this.#parts.runtime.reporter.error(lookUpFailed(error));
    round.isReported = true;
  }

  /** Lets the event loop turn, after so many channels. */
  #breathe(round: Round): Promise<void> | undefined {
    round.judged += 1;
    return round.judged % judgedInOneTurn === 0 ? nextTurn() : undefined;
  }
}

/** How a credential stands: `undefined` where it is gone, an error where nobody can tell. */
function standingIn(standings: Standings, credentialId: string): Standing | Error | undefined {
  return standings instanceof Error ? standings : standings.get(credentialId);
}

/** Whether the answer concerns the channel: it may have ended meanwhile, gone over to another credential, or have a later answer. */
function isStill(channel: Connection, { source, credentialId, question }: Asked): boolean {
  const { identity } = channel;
  return mayHandle(channel) && identity.source === source && identity.credentialId === credentialId && identity.answered <= question;
}

function byCredential(channels: readonly Connection[]): readonly ListedGroup[] {
  const byId = groupedBy(channels, ({ identity }) => identity.credentialId);
  return Array.from(byId, ([id, ofId]) => ({ credential: { id, found: ofId[0]?.identity.found }, channels: ofId }));
}
