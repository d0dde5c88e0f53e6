import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Clock } from '../contracts/clock.js';
import type { Events } from '../events.js';

/** A channel whose line may go dead. */
export interface Beating {
  /** What its line had carried when it was last looked at. */
  heard: number;
  /** Whether it was pinged then. */
  isPinged: boolean;
  /** In which part of the beat it is looked at; below zero where it is not. */
  slot: number;
  readonly isLive: boolean;
  readonly raw: Socket;
  readonly socket: WebSocket | undefined;
  /** Its peer has closed, and nobody has noticed. */
  leaving(): void;
  /** Its peer answers no more. */
  silent(): void;
}

const slotsPerBeat = 30;
const shortestSlotMs = 100;
/** So many share a slot before those that come at once are spread over others. */
const ampleShare = 32;
/** Its input is held, or it has not been looked at yet: nothing can be told of it. */
const unknown = -1;

/**
 * Notices lines that have gone dead: a channel from which nothing has arrived for a beat is pinged, and dropped where nothing arrives for
 * another. One timer serves all; each channel has its place in the beat, so that no more than a part of them is looked at, and pinged, at once.
 */
export class Heartbeat {
  readonly #clock: Clock;
  readonly #events: Events;
  readonly #beatMs: number;
  readonly #slots: readonly Set<Beating>[];
  #count = 0;
  /** The slot that was looked at last, and when. */
  #current = 0;
  #currentAt = 0;
  #next = 0;
  #nextAt = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | undefined;

  /** @param beatMs how long a beat is; 0 for none. */
  constructor(clock: Clock, events: Events, beatMs: number) {
    this.#clock = clock;
    this.#events = events;
    this.#beatMs = beatMs;
    const count = Math.max(1, Math.min(slotsPerBeat, Math.floor(beatMs / shortestSlotMs)));
    this.#slots = Array.from({ length: count }, () => new Set());
  }

  /** A channel lives that has come at `since`. One whose transport counts no bytes is not looked at. */
  add(channel: Beating, since: number): void {
    if (this.#beatMs === 0 || !(channel.raw.bytesRead >= 0)) return;
    if (this.#count === 0) this.#currentAt = this.#clock.monotonic();
    const isOnTime = since === this.#currentAt;
    const steps = this.#freeSlot(isOnTime ? 0 : 1);
    channel.slot = (this.#current + steps) % this.#slots.length;
    channel.heard = steps === 0 ? channel.raw.bytesRead : unknown; // all others are looked at before a beat is over
    this.#slots[channel.slot]?.add(channel);
    this.#count += 1;
    const dueAt = this.#timeOf(steps === 0 ? this.#slots.length : steps);
    if (dueAt < this.#nextAt) this.#arm(channel.slot, dueAt);
  }

  /** A channel has ended. */
  delete(channel: Beating): void {
    if (this.#slots[channel.slot]?.delete(channel) !== true) return;
    this.#count -= 1;
    if (this.#count === 0) this.#disarm();
  }

  /** How many slots from the current one there is room; `first` at least. */
  #freeSlot(first: number): number {
    const share = Math.max(ampleShare, Math.ceil((this.#count + 1) / this.#slots.length));
    for (let steps = first; steps < this.#slots.length; steps += 1) {
      const slot = this.#slots[(this.#current + steps) % this.#slots.length];
      if (slot !== undefined && slot.size < share) return steps;
    }
    return first % this.#slots.length;
  }

  #timeOf(steps: number): number {
    return this.#currentAt + (this.#beatMs * steps) / this.#slots.length;
  }

  #arm(slot: number, at: number): void {
    this.#cancel?.();
    this.#next = slot;
    this.#nextAt = at;
    this.#cancel = this.#clock.setTimer(() => this.#tick(), Math.max(0, at - this.#clock.monotonic()));
  }

  #disarm(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#nextAt = Number.POSITIVE_INFINITY;
  }

  #tick(): void {
    const now = this.#clock.monotonic();
    const slotMs = this.#beatMs / this.#slots.length;
    if (now - this.#nextAt > slotMs) {
      this.#arm(this.#next, now + slotMs); // the process was busy or asleep: what has come meanwhile is read first
      return;
    }
    this.#disarm();
    this.#current = this.#next;
    this.#currentAt = now;
    this.#lookAt(this.#slots[this.#current] as Set<Beating>);
    for (let steps = 1; steps <= this.#slots.length && this.#count > 0; steps += 1) {
      const slot = (this.#current + steps) % this.#slots.length;
      if (this.#slots[slot]?.size !== 0) {
        this.#arm(slot, this.#timeOf(steps));
        return;
      }
    }
  }

  #lookAt(channels: Iterable<Beating>): void {
    let pinged = 0;
    let silent = 0;
    for (const channel of channels) {
      if (!isSilent(channel)) continue;
      if (channel.isPinged) {
        silent += 1;
        channel.silent();
      } else {
        pinged += 1;
        channel.isPinged = true;
        channel.socket?.ping();
      }
    }
    if (pinged + silent > 0 && this.#events.isHeard('heartbeat')) this.#events.emit({ type: 'heartbeat', pinged, silent });
  }
}

/** Whether nothing has happened on its line since it was last looked at. */
function isSilent(channel: Beating): boolean {
  const { socket } = channel;
  if (!channel.isLive || socket === undefined) return false;
  if (socket.readyState !== socket.OPEN) {
    channel.leaving();
    return false;
  }
  const signs = signsOfLife(socket, channel.raw);
  if (signs === channel.heard) return signs !== unknown;
  channel.heard = signs;
  channel.isPinged = false;
  return false;
}

/**
 * A number that changes as long as the peer is there. Nothing arrives while input is held; then it is what the peer has been sent and has
 * taken, if anything is left to be taken.
 */
function signsOfLife(socket: WebSocket, raw: Socket): number {
  if (!socket.isPaused) return raw.bytesRead;
  return socket.bufferedAmount === 0 ? unknown : unknown - 1 - (raw.bytesWritten - raw.writableLength);
}
