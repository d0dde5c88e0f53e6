import { HeardNumbers, SentNumbers } from '../../src/broadcast-sequence.js';
import type { BroadcastSubscribers } from '../../src/broadcast-subscribers.js';
import { ChannelError } from '../../src/errors.js';
import { LossMark } from '../../src/loss-mark.js';
import { decodeEnvelope, encodeEnvelope } from './envelope.js';
import type { Operations } from './operations.js';
import { RedisSubscription } from './subscription.js';

/** How many messages may be on their way and not answered. */
const maxPending = 65_536;

/** One channel of a broadcaster: numbers what it sends, and tells of what is missing in what it hears. */
export class BroadcastLane {
  readonly #operations: Operations;
  readonly #channel: string;
  readonly #subscribers: BroadcastSubscribers;
  readonly #maxPendingBytes: number;
  readonly #sent = new SentNumbers();
  readonly #heard = new HeardNumbers();
  readonly #mark: LossMark;
  #subscription: RedisSubscription | undefined;
  /** A client that is still connecting for the first time may keep what it is given; one that was connected is away. */
  #wasReady = false;
  #pending = 0;
  #pendingBytes = 0;

  constructor(
    operations: Operations,
    channel: string,
    subscribers: BroadcastSubscribers,
    { maxPendingBytes }: { readonly maxPendingBytes: number },
  ) {
    this.#operations = operations;
    this.#channel = channel;
    this.#subscribers = subscribers;
    this.#maxPendingBytes = maxPendingBytes;
    const isNeeded = (): boolean => this.#sent.hasLoss && !operations.gateway.isClosed();
    this.#mark = new LossMark(operations.clock, isNeeded, () => this.#send('', ''));
  }

  async publish(group: string, data: string | Uint8Array): Promise<void> {
    try {
      await this.#send(group, data);
    } catch (error) {
      this.#mark.needed();
      throw error;
    }
  }

  /** Numbers it, also where it cannot be sent: so the others see that it is missing. */
  async #send(group: string, data: string | Uint8Array): Promise<void> {
    const number = this.#sent.next();
    let bytes = 0;
    try {
      this.#checkRoom();
      const envelope = encodeEnvelope({ sender: this.#sent.sender, number, hasLoss: this.#sent.hasLoss, group, data });
      bytes = envelope.length;
      const name = this.#operations.gateway.isCluster ? 'SPUBLISH' : 'PUBLISH';
      await this.#operations.run('publish a message', () => this.#counted(bytes, [name, this.#channel, envelope]));
      this.#sent.arrived(number);
    } catch (error) {
      this.#sent.failed();
      throw error;
    }
  }

  /** Counts what the client holds: until it has answered, whether or not somebody still waits for it. */
  async #counted(bytes: number, command: readonly [string, string, Buffer]): Promise<void> {
    this.#pending += 1;
    this.#pendingBytes += bytes;
    try {
      await this.#operations.gateway.command(this.#channel, command);
    } finally {
      this.#pending -= 1;
      this.#pendingBytes -= bytes;
    }
  }

  #checkRoom(): void {
    if (this.#operations.gateway.isReady()) this.#wasReady = true;
    else if (this.#wasReady) throw new ChannelError('ERR_BROADCAST_FAILED', 'Redis is away.');
    if (this.#pending >= maxPending || this.#pendingBytes >= this.#maxPendingBytes) {
      throw new ChannelError('ERR_BROADCAST_FAILED', `Redis has not answered for ${this.#pending} messages yet.`);
    }
  }

  /** Resolves once nothing is missed any more without telling. */
  async listen(): Promise<void> {
    this.#heard.toldOfGap(); // of what was sent while nobody listened, nobody is to be told
    const subscription = new RedisSubscription(this.#operations, this.#channel, {
      message: (data) => this.#received(data),
      gap: () => {
        this.#heard.toldOfGap();
        this.#subscribers.tellGap();
      },
    });
    this.#subscription = subscription;
    await subscription.open();
  }

  stop(): void {
    this.#subscription?.close();
    this.#subscription = undefined;
  }

  #received(encoded: Buffer): void {
    const envelope = decodeEnvelope(encoded);
    if (envelope === undefined || envelope.sender === this.#sent.sender) return;
    const verdict = this.#heard.accept(envelope.sender, envelope.number, envelope.hasLoss);
    if (verdict === 'old') return;
    if (verdict === 'gap') this.#subscribers.tellGap();
    if (envelope.group !== '') this.#subscribers.tell(envelope.group, envelope.data);
  }
}
