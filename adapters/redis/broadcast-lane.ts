import type { FeedHealth } from '../../src/contracts/revocation-feed.js';
import { ChannelError } from '../../src/errors.js';
import { HeardNumbers, SentNumbers } from '../../src/feeds/broadcast-sequence.js';
import { LossMark } from '../../src/feeds/loss-mark.js';
import { UnreadableMessages } from '../../src/feeds/unreadable-messages.js';
import { decodeEnvelope, encodeEnvelope } from './envelope.js';
import type { Operations } from './operations.js';
import { Pending } from './pending.js';
import { RedisSubscription } from './subscription.js';

/** How many messages may be on their way and not answered. */
const maxPending = 65_536;

/** Is told by a {@link BroadcastLane}. */
export interface LaneListener extends FeedHealth {
  tell(group: string, data: string | Uint8Array): void;
  gap(): void;
}

/** One channel of a broadcaster: numbers what it sends, and tells of what is missing in what it hears. */
export class BroadcastLane {
  readonly #operations: Operations;
  readonly #channel: string;
  readonly #listener: LaneListener;
  readonly #maxPendingBytes: number;
  readonly #sent = new SentNumbers();
  readonly #heard = new HeardNumbers();
  readonly #mark: LossMark;
  readonly #unreadable: UnreadableMessages;
  #subscription: RedisSubscription | undefined;
  /** A client that is still connecting for the first time may keep what it is given; one that was connected is away. */
  #wasReady = false;
  readonly #pending: Pending;
  /** What the client has not answered for. */
  #count = 0;
  #bytes = 0;

  constructor(operations: Operations, channel: string, listener: LaneListener, { maxPendingBytes }: { readonly maxPendingBytes: number }) {
    this.#operations = operations;
    this.#channel = channel;
    this.#listener = listener;
    this.#maxPendingBytes = maxPendingBytes;
    this.#pending = new Pending(operations.clock, operations.timeoutMs);
    const isNeeded = (): boolean => this.#sent.hasLoss && !operations.gateway.isClosed();
    this.#mark = new LossMark(operations.clock, isNeeded, () => this.#send('', ''));
    this.#unreadable = new UnreadableMessages(operations.clock, `RedisBroadcaster: the channel ${channel}`, () => listener.gap());
  }

  publish(group: string, data: string | Uint8Array): Promise<void> {
    const publishing = this.#send(group, data);
    publishing.catch(() => this.#mark.needed());
    return publishing;
  }

  /** Numbers it, also where it cannot be sent: so the others see that it is missing. */
  #send(group: string, data: string | Uint8Array): Promise<void> {
    const number = this.#sent.next();
    try {
      this.#checkRoom();
      const envelope = encodeEnvelope({ sender: this.#sent.sender, number, hasLoss: this.#sent.hasLoss, group, data });
      const answered = this.#pending.within(this.#counted(envelope));
      answered.then(
        () => {
          this.#wasReady = true;
          this.#sent.arrived(number);
        },
        () => this.#sent.failed(),
      );
      return answered;
    } catch (error) {
      this.#sent.failed();
      return Promise.reject(error as Error);
    }
  }

  /** Counts what the client holds: until it has answered, whether or not somebody still waits for it. */
  #counted(envelope: Buffer): Promise<unknown> {
    const release = (): void => {
      this.#count -= 1;
      this.#bytes -= envelope.length;
    };
    const answered = this.#operations.gateway.publish(this.#channel, envelope);
    this.#count += 1;
    this.#bytes += envelope.length;
    answered.then(release, release);
    return answered;
  }

  #checkRoom(): void {
    if (this.#operations.gateway.isReady()) this.#wasReady = true;
    else if (this.#wasReady) throw new ChannelError('ERR_BROADCAST_FAILED', 'Redis is away.');
    if (this.#count >= maxPending || this.#bytes >= this.#maxPendingBytes) {
      throw new ChannelError('ERR_BROADCAST_FAILED', `Redis has not answered for ${this.#count} messages yet.`);
    }
  }

  /** Resolves once nothing is missed any more without telling. */
  async listen(): Promise<void> {
    this.#heard.toldOfGap(); // of what was sent while nobody listened, nobody is to be told
    const subscription = new RedisSubscription(this.#operations, this.#channel, {
      message: (data) => this.#received(data),
      gap: () => {
        this.#heard.toldOfGap();
        this.#listener.gap();
      },
      failed: (error) => this.#listener.failed(error),
      restored: () => this.#listener.restored(),
    });
    this.#subscription = subscription;
    await subscription.open();
    this.#wasReady ||= this.#operations.gateway.isReady();
  }

  stop(): void {
    this.#subscription?.close();
    this.#subscription = undefined;
    this.#unreadable.stop();
  }

  #received(encoded: Buffer): void {
    const envelope = decodeEnvelope(encoded);
    if (envelope === undefined) {
      this.#heard.toldOfGap();
      this.#unreadable.heard();
      return;
    }
    if (envelope.sender === this.#sent.sender) return;
    const verdict = this.#heard.accept(envelope.sender, envelope.number, envelope.hasLoss);
    if (verdict === 'old') return;
    if (verdict === 'gap') this.#listener.gap();
    if (envelope.group !== '') this.#listener.tell(envelope.group, envelope.data);
  }
}
