import type { Connection } from '../channel/connection.js';
import { foundOrMade } from '../found-or-made.js';
import type { BoundSource } from '../identity/user-source.js';
import type { Group, Rechecks } from './rechecks.js';

/** One credential that is being looked up, and the channels whose messages wait for it. */
class Flight implements Iterable<Connection> {
  readonly #channels = new Set<Connection>();
  readonly #onAnswered: () => void;

  constructor(onAnswered: () => void) {
    this.#onAnswered = onAnswered;
  }

  add(channel: Connection): void {
    this.#channels.add(channel);
  }

  /** Its answer is here: who comes now is too late for it. */
  [Symbol.iterator](): Iterator<Connection> {
    this.#onAnswered();
    return this.#channels.values();
  }
}

/** A credential that is being looked up, and when that is done. */
interface Underway {
  readonly flight: Flight;
  readonly done: Promise<void>;
}

const noFlights = (): Map<string, Underway> => new Map();

interface Batch {
  readonly groups: Group[];
  readonly done: Promise<void>;
}

/** Looks a channel up again before each of its messages: once for all that ask for the same credential meanwhile. */
export class MessageChecks {
  readonly #rechecks: Rechecks;
  readonly #isWanted: (source: BoundSource) => boolean;
  /** The batches that have not gone yet. */
  readonly #gathered = new Map<BoundSource, Batch>();
  /**
   * Those that are under way, by source and credential. Weak: a function of the application's own may make a source anew for every channel.
   */
  readonly #flights = new WeakMap<BoundSource, Map<string, Underway>>();

  constructor(rechecks: Rechecks, isWanted: (source: BoundSource) => boolean) {
    this.#rechecks = rechecks;
    this.#isWanted = isWanted;
  }

  /** A promise where the channel is looked up before its message is handled. It never rejects. */
  before(channel: Connection): Promise<void> | undefined {
    const { source, credentialId, found } = channel.identity;
    if (source?.recheck === undefined || credentialId === undefined || !this.#isWanted(source)) return undefined;
    const flights = foundOrMade(this.#flights, source, noFlights);
    const known = flights.get(credentialId);
    if (known !== undefined) {
      known.flight.add(channel);
      return known.done;
    }
    const flight = new Flight(() => flights.delete(credentialId));
    const { groups, done } = this.#batchOf(source);
    flight.add(channel);
    groups.push({ credential: { id: credentialId, found }, channels: flight });
    flights.set(credentialId, { flight, done });
    return done;
  }

  #batchOf(source: BoundSource): Batch {
    return foundOrMade(this.#gathered, source, () => {
      const groups: Group[] = [];
      const done = Promise.resolve().then(() => {
        this.#gathered.delete(source);
        return this.#rechecks.ask(source, groups);
      });
      return { groups, done };
    });
  }
}
