import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node';
import type { Broadcaster, FeedHealth } from 'ws-with';

/** How long to wait before a subscription that NATS refuses is tried again. */
const retryMs = 1_000;

/**
 * Carries groups over NATS, on a connection of its own for each process:
 * `connect({ servers, noEcho: true, maxReconnectAttempts: -1, ignoreAuthErrorAbort: true })`, for a user who may use all of `groups.>`.
 * Without the last two options NATS gives up for good when its server is away for some 20 s, or refuses the user twice.
 * What a cluster loses between its servers, NATS tells nobody: there is no gap for it.
 */
export class NatsBroadcaster implements Broadcaster {
  readonly #subscribers = new Set<FeedHealth>();
  constructor(readonly connection: NatsConnection) {
    this.#followStatus().catch(() => undefined); // it was closed
  }

  async publish(group: string, data: string | Uint8Array): Promise<void> {
    const kind = typeof data === 'string' ? 'text' : data instanceof Uint8Array && 'bytes';
    if (typeof group !== 'string' || group === '' || !kind) throw new TypeError('publish takes a group and text or bytes');
    const send = async () => this.connection.publish(`groups.${kind}.${Buffer.from(group).toString('hex')}`, Buffer.from(data));
    const sent = send();
    const told = sent.catch(() => this.connection.publish('groups.gap.all')); // it may be larger than the server takes
    await Promise.all([sent.then(() => this.connection.flush()), told]);
  }

  async subscribe(
    on: (group: string, data: string | Uint8Array) => void,
    onGap: () => void,
    health?: FeedHealth,
  ): Promise<AsyncDisposable> {
    if (typeof on !== 'function' || typeof onGap !== 'function') throw new TypeError('subscribe takes two functions');
    const subscriber: FeedHealth = {
      failed: (error) => quietly(() => health?.failed(error)),
      restored() {
        if (subscription?.isClosed()) return; // it was refused meanwhile, and is tried again
        quietly(() => health?.restored());
        quietly(onGap);
      },
    };
    let subscription: Subscription | undefined;
    let retry: NodeJS.Timeout | undefined;
    const callback = (refused: Error | null, message: Msg): void => {
      if (refused === null) quietly(() => tell(message, on, onGap));
      else if (this.#subscribers.has(subscriber)) {
        subscriber.failed(refused); // a user may lose the right to subscribe at any time, and get it back
        retry = setTimeout(() => void open().then(subscriber.restored, () => undefined), retryMs);
      }
    };
    const open = async (): Promise<void> => {
      subscription = this.connection.subscribe('groups.*.*', { callback });
      await this.connection.flush();
      if (subscription.isClosed()) throw new Error('NATS does not let this user subscribe to groups.*.*');
    };
    const end = (): void => {
      this.#subscribers.delete(subscriber);
      clearTimeout(retry);
      subscription?.unsubscribe();
    };
    try {
      await open();
    } catch (error) {
      end();
      throw error;
    }
    this.#subscribers.add(subscriber);
    return { [Symbol.asyncDispose]: async () => end() };
  }

  async #followStatus(): Promise<void> {
    let isLost = false;
    for await (const { type } of this.connection.status()) {
      if (type === 'disconnect' || type === 'close') {
        isLost = true;
        for (const subscriber of this.#subscribers) subscriber.failed(new Error('The connection to NATS is lost.'));
      } else if (type === 'reconnect' && isLost) {
        this.connection.publish('groups.gap.all'); // what it sent may be lost, too
        isLost = !(await this.#isAnswered()); // NATS tells of each attempt again
        if (!isLost) for (const subscriber of this.#subscribers) subscriber.restored();
      }
    }
  }

  /** Whether the server has all that this connection has said so far: its subscriptions, where it is a new one. */
  #isAnswered(): Promise<boolean> {
    return this.connection.flush().then(
      () => true,
      () => false,
    );
  }
}

function tell({ subject, data }: Msg, on: (group: string, data: string | Uint8Array) => void, onGap: () => void): void {
  const [, kind, group = ''] = subject.split('.');
  if (kind === 'gap') onGap();
  else if (kind === 'text') on(Buffer.from(group, 'hex').toString(), Buffer.from(data).toString());
  else if (kind === 'bytes') on(Buffer.from(group, 'hex').toString(), Uint8Array.from(data));
}

/** What a subscriber throws is its own affair. */
function quietly(run: () => void): void {
  try {
    run();
  } catch {}
}
