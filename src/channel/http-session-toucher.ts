import type { HttpSession, HttpSessionReader } from '../contracts/http-session-reader.js';
import { ChannelError } from '../errors.js';
import { groupedBy } from '../grouped-by.js';
import type { Reporter } from '../reporter.js';
import { slicesOf } from '../slices-of.js';
import { Alarm } from '../time/alarm.js';
import { type TimeLimit, withDeadline } from '../time/deadline.js';

/** A session that channels keep alive. */
interface Touched {
  readonly id: string;
  readonly reader: HttpSessionReader;
  readonly intervalMs: number;
  readonly channels: Set<object>;
  /** On the monotonic clock. */
  dueAt: number;
}

/** How soon one is touched at first: of its life more may have passed than its interval leaves. */
const firstMs = 1_000;
/** How many a reader is asked to touch at once: it has one deadline for them. */
const maxAtOnce = 250;
/** Sessions that are due within this part of their interval are touched along with those that are due now. */
const early = 1 / 4;

/** Keeps the HTTP sessions of open channels from expiring, where they want that: one timer for all, and a batch at a time. */
export class HttpSessionToucher {
  readonly #limit: TimeLimit;
  readonly #reporter: Pick<Reporter, 'error'>;
  readonly #touched = new Map<string, Touched>();
  readonly #alarm: Alarm;

  /** @param limit after which one touch is given up. */
  constructor(limit: TimeLimit, reporter: Pick<Reporter, 'error'>) {
    this.#limit = limit;
    this.#reporter = reporter;
    this.#alarm = new Alarm(limit.clock, () => void this.#round());
  }

  /** A channel lives whose handshake `reader` found this session in. */
  add(channel: object, reader: HttpSessionReader, { id, touchIntervalMs: intervalMs = 0 }: HttpSession): void {
    if (id === undefined || !(intervalMs > 0 && intervalMs < Number.POSITIVE_INFINITY) || reader.touchMany === undefined) return;
    const known = this.#touched.get(id);
    if (known !== undefined) {
      known.channels.add(channel);
      return;
    }
    const dueAt = this.#limit.clock.monotonic() + Math.min(intervalMs, firstMs);
    this.#touched.set(id, { id, reader, intervalMs, channels: new Set([channel]), dueAt });
    this.#alarm.setFor(dueAt);
  }

  /** A channel has ended. */
  delete(channel: object, id: string | undefined): void {
    const touched = id === undefined ? undefined : this.#touched.get(id);
    if (touched?.channels.delete(channel) !== true || touched.channels.size > 0) return;
    this.#touched.delete(id as string);
    if (this.#touched.size === 0) this.#alarm.clear();
  }

  async #round(): Promise<void> {
    const now = this.#limit.clock.monotonic();
    const all = [...this.#touched.values()];
    const due = all.filter(({ dueAt, intervalMs }) => dueAt - intervalMs * early <= now);
    for (const touched of due) touched.dueAt = now + touched.intervalMs;
    this.#alarm.setFor(all.reduce((next, { dueAt }) => Math.min(next, dueAt), Number.POSITIVE_INFINITY));
    const byReader = groupedBy(due, ({ reader }) => reader);
    await Promise.all(Array.from(byReader, ([reader, some]) => this.#touch(reader, some)));
  }

  /**
   * Some hundreds at a time: a reader may have to ask for them one after the other. Where some cannot be touched, the others are all the
   * same.
   */
  async #touch(reader: HttpSessionReader, due: readonly Touched[]): Promise<void> {
    const onTimeout = (): Error => new Error(`The HTTP sessions were not touched within ${this.#limit.ms} ms.`);
    let isReported = false;
    for (const slice of slicesOf(due, maxAtOnce)) {
      const ids = slice.flatMap(({ id }) => (this.#touched.has(id) ? [id] : []));
      if (ids.length === 0) continue;
      try {
        await withDeadline(async () => reader.touchMany?.(ids), { ...this.#limit, onTimeout });
      } catch (cause) {
        if (isReported) continue;
        isReported = true;
        this.#reporter.error(
          new ChannelError('ERR_SESSION_SAVE_FAILED', 'The HTTP sessions of live channels could not be touched.', { cause }),
        );
      }
    }
  }
}
