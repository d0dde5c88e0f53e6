import {
  type ChannelHandlers,
  ClientError,
  type ConnectMessage,
  type HasAuthenticatedUser,
  type HasChannelSession,
  type HasUser,
  type ReceiveMessage,
  type TokenRepository,
  withAuthenticatedUser,
  withChannelUser,
  withClientErrors,
  withUserFromToken,
} from 'ws-with';
import type { EntryRepository } from './entry-repository.js';

/** How many entries a connection may write. */
export const maxEntries = 3;

/** What the handlers work with. */
export interface GuestbookRepositories {
  readonly entries: EntryRepository;
  /** Finds the members. @default what is registered as `TOKEN_REPOSITORY` */
  readonly tokens?: TokenRepository | undefined;
}

/** The handlers of a guestbook: everybody reads it, members write in it. */
export function guestbookHandlers({ entries, tokens }: GuestbookRepositories): ChannelHandlers {
  async function greet({ channel, user }: ConnectMessage & HasUser): Promise<void> {
    const name = user.isAuthenticated ? user.name : 'guest';
    channel.sendJson({ hello: name, entries: await entries.latest(10) });
  }

  async function write(message: ReceiveMessage & HasAuthenticatedUser & HasChannelSession): Promise<void> {
    const { channel, channelSession, text, user } = message;
    const written = channelSession.get('written') ?? 0;
    if (written >= maxEntries) throw new ClientError('too_many_entries', { maxEntries });
    const entry = { author: user.name, text };
    await entries.append(entry);
    channelSession.set('written', written + 1);
    channel.sendJson({ written: entry });
  }

  return {
    connect: withUserFromToken({ tokens })(greet),
    receive: withClientErrors(withChannelUser(withAuthenticatedUser(write))),
  };
}
