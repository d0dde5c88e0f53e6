import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { Broadcaster } from 'ws-with';

/**
 * Carries groups over NATS, on a connection of its own for each process: `connect({ servers, noEcho: true, maxReconnectAttempts: -1 })`, for a user who may
 * use all of `groups.>`. Without the last option NATS gives up for good when its server is away for some 20 s.
 */
export class NatsBroadcaster implements Broadcaster {
  readonly #gapListeners = new Map<object, () => void>();
  constructor(readonly connection: NatsConnection) {
    this.#tellOfReconnects().catch(() => undefined); // it was closed
  }

  async publish(group: string, data: string | Uint8Array): Promise<void> {
    const kind = typeof data === 'string' ? 'text' : data instanceof Uint8Array && 'bytes';
    if (typeof group !== 'string' || group === '' || !kind) throw new TypeError('publish takes a group and text or bytes');
    const send = async () => this.connection.publish(`groups.${kind}.${Buffer.from(group).toString('hex')}`, Buffer.from(data));
    const sent = send();
    const told = sent.catch(() => this.connection.publish('groups.gap.all')); // it may be larger than the server takes
    await Promise.all([sent.then(() => this.connection.flush()), told]);
  }

  async subscribe(on: (group: string, data: string | Uint8Array) => void, onGap: () => void): Promise<AsyncDisposable> {
    if (typeof on !== 'function' || typeof onGap !== 'function') throw new TypeError('subscribe takes two functions');
    const callback = (_refused: unknown, { subject = 'groups.gap.all', data = new Uint8Array() }: Partial<Msg>): void => {
      const [, kind, group = ''] = subject.split('.');
      try {
        if (kind === 'gap') onGap();
        else if (kind === 'text') on(Buffer.from(group, 'hex').toString(), Buffer.from(data).toString());
        else if (kind === 'bytes') on(Buffer.from(group, 'hex').toString(), Uint8Array.from(data));
      } catch {} // what a subscriber throws is its own affair
    };
    const subscription = this.connection.subscribe('groups.*.*', { callback });
    await this.connection.flush();
    if (subscription.isClosed()) throw new Error('NATS does not let this user subscribe to groups.*.*');
    this.#gapListeners.set(subscription, () => callback(undefined, {}));
    return { [Symbol.asyncDispose]: async () => void (this.#gapListeners.delete(subscription) && subscription.unsubscribe()) };
  }

  async #tellOfReconnects(): Promise<void> {
    const tellOthers = (): void => this.connection.publish('groups.gap.all'); // what it sent may be lost, too
    for await (const { type } of this.connection.status())
      if (type === 'reconnect') for (const tell of [tellOthers, ...this.#gapListeners.values()]) tell();
  }
}
