import type { Connection } from '../channel/connection.js';
import { mayHandle } from '../channel/unfinished-work.js';
import type { Clock } from '../contracts/clock.js';
import { setImmediate } from '../event-loop.js';
import { Alarm } from '../time/alarm.js';
import { extraMsOf } from '../time/fair-timer.js';
import { codeOfExpiry } from './codes-of-ends.js';

/** Whoever ends within this time is looked at one by one; all others are not. */
const soonMs = 120_000;
/** So often at most everybody is looked at for who ends soon. */
const scanMs = 60_000;
/** How long before the end the application is told. */
const noticeMs = 60_000;
/** How long before its end a grant is looked up once more. */
const askMs = 100;
/** Whoever ends so soon after is looked up in the same batch. */
const gatherMs = 250;
/** How long after the end an answer may still come. */
const lateMs = 900;
/** Ends that lie closer together are dealt with at once. */
const stepMs = 20;
/** How many channels are ended in one turn of the event loop. */
const endedInOneTurn = 250;

/** What expiry needs of a server. */
export interface ExpiryOwner {
  readonly clock: Clock;
  /** The channels that may come to an end. */
  identified(): Iterable<Connection>;
  /** Looks channels up once more. Never rejects. */
  check(channels: readonly Connection[]): Promise<void>;
  /** Whether a channel, or a token that it may go over to, is being looked up for another reason: it may have another end by now. */
  isInDoubt(channel: Connection): boolean;
  /** Tells the application that a channel ends in `inMs`; `undefined` where it does not want to know. */
  readonly onExpiring: ((channel: Connection, inMs: number) => void) | undefined;
}

/** A channel that ends soon. */
interface Soon {
  readonly endsAt: number;
  /** Until when an answer may come. */
  lateAt: number;
  /** Whether that moment was put off, as it was noticed late. */
  isPutOff: boolean;
  isTold: boolean;
  asked: 'no' | 'waiting' | 'yes';
}

/** Ends channels with their tokens: one timer for all of them. */
export class Expiry {
  readonly #owner: ExpiryOwner;
  readonly #soon = new Map<Connection, Soon>();
  #lastScan = Number.NEGATIVE_INFINITY;
  #nextScan = Number.POSITIVE_INFINITY;
  readonly #alarm: Alarm;

  constructor(owner: ExpiryOwner) {
    this.#owner = owner;
    this.#alarm = new Alarm(owner.clock, () => this.#round());
  }

  /** It is known, or known anew, when a channel ends. */
  note(channel: Connection): void {
    const { endsAt } = channel.identity;
    if (this.#soon.get(channel)?.endsAt === endsAt) return;
    this.#soon.delete(channel);
    if (endsAt === Number.POSITIVE_INFINITY) return;
    if (endsAt - this.#owner.clock.monotonic() > soonMs) {
      this.#nextScan = Math.min(this.#nextScan, Math.max(endsAt - soonMs, this.#lastScan + scanMs));
      this.#alarm.setFor(this.#nextScan);
      return;
    }
    const soon: Soon = { endsAt, lateAt: endsAt + lateMs, isPutOff: false, isTold: false, asked: 'no' };
    this.#soon.set(channel, soon);
    this.#alarm.setFor(this.#nextStep(soon));
  }

  stop(): void {
    this.#alarm.clear();
    this.#nextScan = Number.POSITIVE_INFINITY;
    this.#soon.clear();
  }

  /** When there is something to be done for a channel. */
  #nextStep({ endsAt, lateAt, isTold, asked }: Soon): number {
    if (!isTold && this.#owner.onExpiring !== undefined) return endsAt - noticeMs;
    if (asked === 'no') return endsAt - askMs;
    return asked === 'yes' ? endsAt : lateAt;
  }

  #round(): void {
    const now = this.#owner.clock.monotonic();
    if (now >= this.#nextScan) this.#scan();
    const due = this.#due(now);
    let next = Number.POSITIVE_INFINITY;
    let ended = 0;
    for (const [channel, soon] of this.#soon) {
      if (ended >= endedInOneTurn) {
        setImmediate(() => this.#alarm.setFor(now));
        this.#ask(due);
        return;
      }
      if (!mayHandle(channel)) this.#soon.delete(channel);
      else if (this.#step(channel, soon, now)) ended += 1;
      else next = Math.min(next, this.#nextStep(soon));
    }
    this.#ask(due);
    next = Math.min(next, this.#nextScan); // the last of all may have ended, and with it what was to come
    this.#alarm.setFor(Math.max(next, now + stepMs));
  }

  /** Who is to be looked up now: where it is time for one, all that end soon after it, so that there are few batches. */
  #due(now: number): readonly Connection[] {
    const isOpenTo = (ms: number, { endsAt, asked }: Soon): boolean => asked === 'no' && endsAt - now <= ms;
    if (![...this.#soon.values()].some((soon) => isOpenTo(askMs, soon))) return [];
    const due: Connection[] = [];
    for (const [channel, soon] of this.#soon) {
      if (!isOpenTo(askMs + gatherMs, soon)) continue;
      soon.asked = 'waiting';
      soon.lateAt = Math.max(soon.endsAt, now) + lateMs; // the process may have been busy or asleep at the end
      due.push(channel);
    }
    return due;
  }

  /** What is to be done for one channel now; whether that was its end. */
  #step(channel: Connection, soon: Soon, now: number): boolean {
    const { onExpiring } = this.#owner;
    const left = soon.endsAt - now;
    if (onExpiring !== undefined && !soon.isTold && left <= noticeMs) {
      soon.isTold = true;
      if (channel.isOpen) onExpiring(channel, Math.max(0, left));
      if (!mayHandle(channel)) return true;
    }
    if (left > 0 || this.#mayBeAnswered(channel, soon, now)) return false;
    this.#soon.delete(channel);
    channel.cutOff(codeOfExpiry(channel.identity));
    return true;
  }

  /** Whether an answer may still come: after a pause of the process it may be there, and not be read yet. */
  #mayBeAnswered(channel: Connection, soon: Soon, now: number): boolean {
    if (soon.asked !== 'waiting' && !this.#owner.isInDoubt(channel)) return false;
    if (now >= soon.lateAt && !soon.isPutOff) {
      soon.isPutOff = true;
      soon.lateAt = now + extraMsOf(now - soon.lateAt);
    }
    return now < soon.lateAt;
  }

  /** Looks at everybody: who ends soon now, and when to look again. */
  #scan(): void {
    this.#lastScan = this.#owner.clock.monotonic();
    this.#nextScan = Number.POSITIVE_INFINITY;
    for (const channel of this.#owner.identified()) this.note(channel);
  }

  #ask(due: readonly Connection[]): void {
    if (due.length === 0) return;
    const asked = due.map((channel) => this.#soon.get(channel));
    void this.#owner.check(due).then(() => {
      for (const soon of asked) if (soon?.asked === 'waiting') soon.asked = 'yes';
      if (this.#soon.size > 0) this.#alarm.setFor(this.#owner.clock.monotonic());
    });
  }
}
