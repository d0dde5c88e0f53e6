import type { Clock } from '../contracts/clock.js';
import type { Events } from '../events.js';
import { arrivedOn, type Line, signsOfLife, tellsArrivals, unknown } from './signs-of-life.js';
import { onceAllIsRead } from './socket-events.js';

/** What the heartbeat notes on a channel stands under symbols: handlers may give theirs members of any name. */
export const heard: unique symbol = Symbol('ws-with.heard');
export const isPinged: unique symbol = Symbol('ws-with.isPinged');
export const beatSlot: unique symbol = Symbol('ws-with.beatSlot');
export const beatPlace: unique symbol = Symbol('ws-with.beatPlace');

/** A channel whose line may go dead. */
export interface Beating extends Line {
  /** What its line had carried when it was last looked at. */
  [heard]: number;
  /** Whether it was pinged then. */
  [isPinged]: boolean;
  /** In which part of the beat it is looked at; below zero where in none yet. */
  [beatSlot]: number;
  /** At which place of that, or of the newcomers, it stands; below zero where at none. */
  [beatPlace]: number;
  readonly isLive: boolean;
  /** Its peer has closed, and nobody has noticed. */
  leaving(): void;
  /** Its peer answers no more. */
  silent(): void;
}

const slotsPerBeat = 30;
const shortestSlotMs = 100;
/** So many share a slot before those that come at once are spread over others. */
const ampleShare = 32;

/**
 * Notices lines that have gone dead: a channel from which nothing has arrived for a beat is pinged, and dropped where nothing arrives for
 * another. One timer serves all, which looks at one slot of the beat after the other; each channel has its place in one of them, so that no
 * more than a part of them is looked at, and pinged, at once.
 */
export class Heartbeat {
  /** Those that have come since a slot was looked at last, each at its place: those who leave at once cost nothing more. */
  readonly newcomers: Beating[] = [];
  /** Whether the timer runs: newcomers are noticed. */
  isBeating = false;
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #slotMs: number;
  readonly #slots: readonly Beating[][];
  #count = 0;
  #current = 0;
  #nextAt = 0;
  #cancel: (() => void) | undefined;

  /** @param beatMs how long a beat is; 0 for none. */
  constructor(clock: Clock, events: Events, beatMs: number) {
    this.#clock = clock;
    this.#events = events;
    const count = Math.max(1, Math.min(slotsPerBeat, Math.floor(beatMs / shortestSlotMs)));
    this.#slots = Array.from({ length: count }, () => []);
    this.#slotMs = beatMs / count;
  }

  /** There are newcomers, and the timer does not run. */
  begin(): void {
    this.#takeIn();
    if (this.#count === 0) return;
    this.isBeating = true;
    this.#arm(this.#clock.monotonic() + this.#slotMs);
  }

  /** A channel that stands at a place has ended. */
  delete(channel: Beating): void {
    const list = this.#slots[channel[beatSlot]] ?? this.newcomers;
    const last = list.pop();
    if (last !== undefined && last !== channel) {
      list[channel[beatPlace]] = last;
      last[beatPlace] = channel[beatPlace];
    }
    if (channel[beatSlot] >= 0) this.#count -= 1;
    channel[beatPlace] = -1;
    if (this.#count > 0 || this.newcomers.length > 0 || !this.isBeating) return;
    this.isBeating = false;
    this.#cancel?.();
  }

  /**
   * Newcomers get their slots, this one first. Those of whose line nothing can be told, or all where there is no beat, are not looked at.
   */
  #takeIn(): void {
    const share = Math.max(ampleShare, Math.ceil((this.#count + this.newcomers.length) / this.#slots.length));
    let steps = 0;
    for (const channel of this.newcomers.splice(0)) {
      channel[beatPlace] = -1;
      if (this.#slotMs === 0 || !tellsArrivals(channel)) continue;
      while (steps < this.#slots.length - 1 && this.#slotIn(steps).length >= share) steps += 1;
      channel[heard] = steps === 0 ? arrivedOn(channel) : unknown; // all others are looked at before a beat is over
      channel[beatSlot] = (this.#current + steps) % this.#slots.length;
      channel[beatPlace] = this.#slotIn(steps).push(channel) - 1;
      this.#count += 1;
    }
  }

  #slotIn(steps: number): Beating[] {
    return this.#slots[(this.#current + steps) % this.#slots.length] as Beating[];
  }

  #arm(at: number): void {
    this.#nextAt = at;
    this.#cancel = this.#clock.setTimer(() => this.#tick(), Math.max(0, at - this.#clock.monotonic()));
  }

  #tick(): void {
    const now = this.#clock.monotonic();
    if (now - this.#nextAt > this.#slotMs) {
      this.#arm(now + this.#slotMs); // the process was busy or asleep: what has come meanwhile is read first
      return;
    }
    this.#current = (this.#current + 1) % this.#slots.length;
    this.#lookAt(this.#slotIn(0));
    this.#takeIn();
    if (this.#count === 0) this.isBeating = false;
    else this.#arm(this.#nextAt + this.#slotMs);
  }

  #lookAt(channels: readonly Beating[]): void {
    let pinged = 0;
    let silent = 0;
    for (const channel of [...channels]) {
      if (noteSigns(channel)) continue;
      if (channel[isPinged]) {
        silent += 1;
        channel.silent();
      } else {
        pinged += 1;
        channel[isPinged] = true;
        channel.socket?.ping();
      }
    }
    if (pinged + silent > 0 && this.#events.isHeard('heartbeat')) this.#events.emit({ type: 'heartbeat', pinged, silent });
  }
}

/** Notes what has happened on a line since it was last looked at; `false` where that is nothing. */
function noteSigns(channel: Beating): boolean {
  const { socket } = channel;
  if (!channel.isLive || socket === undefined) return true;
  if (socket.readyState !== socket.OPEN) {
    onceAllIsRead(socket, () => channel.leaving());
    return true;
  }
  const signs = signsOfLife(channel);
  if (signs === channel[heard]) return signs === unknown;
  channel[heard] = signs;
  channel[isPinged] = false;
  return true;
}
