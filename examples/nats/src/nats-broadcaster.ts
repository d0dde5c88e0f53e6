import type { NatsConnection } from '@nats-io/transport-node';
import type { Broadcaster } from 'ws-with';

/** Carries groups over NATS. The connection is made with `noEcho: true`, one for each process. */
export class NatsBroadcaster implements Broadcaster {
  readonly #gapListeners = new Map<object, () => void>();
  constructor(readonly connection: NatsConnection) {
    void this.#tellOfReconnects();
  }

  async publish(group: string, data: string | Uint8Array): Promise<void> {
    const kind = typeof data === 'string' ? 'text' : data instanceof Uint8Array && 'bytes';
    if (typeof group !== 'string' || group === '' || !kind) throw new TypeError('publish takes a group and text or bytes');
    const send = async () => this.connection.publish(`groups.${kind}.${Buffer.from(group).toString('hex')}`, Buffer.from(data));
    const sent = send().then(() => this.connection.flush());
    await Promise.all([sent, sent.catch(() => this.connection.publish('groups.gap.all'))]); // it may be larger than the server takes
  }

  async subscribe(on: (group: string, data: string | Uint8Array) => void, onGap: () => void): Promise<AsyncDisposable> {
    if (typeof on !== 'function' || typeof onGap !== 'function') throw new TypeError('subscribe takes two functions');
    const callback = (_error: unknown, { subject, data }: { subject: string; data: Uint8Array }): void => {
      const [, kind, group = ''] = subject.split('.');
      try {
        if (kind === 'gap') onGap();
        else on(Buffer.from(group, 'hex').toString(), kind === 'text' ? Buffer.from(data).toString() : Uint8Array.from(data));
      } catch {} // what a subscriber throws is its own affair
    };
    const subscription = this.connection.subscribe('groups.*.*', { callback });
    this.#gapListeners.set(subscription, onGap);
    await this.connection.flush();
    return { [Symbol.asyncDispose]: async () => void (this.#gapListeners.delete(subscription) && subscription.unsubscribe()) };
  }

  async #tellOfReconnects(): Promise<void> {
    for await (const { type } of this.connection.status()) {
      if (type === 'reconnect') this.connection.publish('groups.gap.all'); // what it sent may be lost, too
      if (type === 'reconnect') for (const onGap of this.#gapListeners.values()) onGap();
    }
  }
}
