import { type ConnectMessage, withUserFromToken } from 'ws-with';
import type { EntryRepository } from './entry-repository.js';

/** A read-only guestbook as a class, which a container makes: `new ChannelServer(Guestbook, { container })`. */
export class Guestbook {
  readonly #entries: EntryRepository;

  constructor(entries: EntryRepository) {
    this.#entries = entries;
  }

  readonly connect = withUserFromToken<ConnectMessage>(async ({ channel, user }) => {
    channel.sendJson({ hello: user.isAuthenticated ? user.name : 'guest', entries: await this.#entries.latest(10) });
  });
}
