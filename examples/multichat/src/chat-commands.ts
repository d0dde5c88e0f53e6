import { hostname } from 'node:os';
import {
  ClientError,
  type ConnectMessage,
  type HasAuthenticatedUser,
  type HasBody,
  type HasChannelSession,
  type ReceiveMessage,
} from 'ws-with';
import { z } from 'zod';
import { type Chat, personOf } from './chat.js';
import type { ChatEvent, NoticeOptions } from './events.js';
import type { Member } from './member.js';
import { rooms, roomsFor } from './rooms.js';

export const roomSchema = z.object({ room: z.enum(rooms.map(({ id }) => id)) });
export const moveSchema = roomSchema.extend({ follows: z.boolean().default(false) });
export const sendSchema = roomSchema.extend({ id: z.string().regex(/^[\w-]{8,64}$/), text: z.string().trim().min(1).max(2000) });
export const historySchema = roomSchema.extend({ before: z.int().positive().optional(), after: z.int().nonnegative().optional() });

/** What the wrappers put on each message of a member. */
export type FromMember = HasAuthenticatedUser & HasChannelSession;
type InRoom<Schema extends z.ZodType> = ReceiveMessage & FromMember & HasBody<z.output<Schema>>;

const node = `process ${process.pid} of ${hostname()}`;

/** What members can do in the chat. */
export class ChatCommands {
  readonly #chat: Chat;
  readonly #notices: NoticeOptions;

  constructor(chat: Chat, notices: NoticeOptions) {
    this.#chat = chat;
    this.#notices = notices;
  }

  /**
   * Brings a page's channel into the rooms of its member's session, and tells it all that it has to know. Whoever leaves meanwhile leaves
   * the groups by itself.
   */
  async welcome({ authentication, channel, channelSession, user }: (ConnectMessage | ReceiveMessage) & FromMember): Promise<void> {
    const { groups } = this.#chat;
    const ids = channelSession.get('rooms') ?? [];
    const joined = roomsFor(user).filter(({ id }) => ids.includes(id));
    groups.add(pagesOf(user), channel);
    for (const room of rooms) {
      if (joined.includes(room)) groups.add(room.id, channel);
      else groups.discard(room.id, channel);
    }
    channel.sendJson({
      event: 'welcome',
      you: personOf(user),
      connection: { by: authentication?.source, until: authentication?.expiresAt?.toISOString(), node },
      rooms,
      joined: await Promise.all(joined.map(({ id }) => this.#chat.now(id))),
      notices: this.#notices,
    } satisfies ChatEvent);
  }

  async sync(message: ReceiveMessage & FromMember): Promise<void> {
    await message.channelSession.reload().catch(tryAgain);
    await this.welcome(message).catch(tryAgain);
  }

  async join(message: InRoom<typeof moveSchema>): Promise<void> {
    const { body, channel, user } = message;
    const { groups } = this.#chat;
    const { room } = body;
    if (!roomsFor(user).some(({ id }) => id === room)) throw new ClientError('staff_only', { room });
    groups.add(room, channel);
    const now = await this.#chat.now(room).catch(() => {
      groups.discard(room, channel);
      return tryAgain();
    });
    channel.sendJson({ event: 'joined', ...now } satisfies ChatEvent);
    this.#follow(message, true);
  }

  leave(message: InRoom<typeof moveSchema>): void {
    const { body, channel } = message;
    this.#chat.groups.discard(body.room, channel);
    channel.sendJson({ event: 'left', room: body.room } satisfies ChatEvent);
    this.#follow(message, false);
  }

  /** Has the member's other pages do as this one did; a page that does so changes nothing but its own place. */
  #follow({ body: { room, follows }, channel, channelSession, user }: InRoom<typeof moveSchema>, isIn: boolean): void {
    if (follows) return;
    channelSession.update('rooms', (joined = []) => [...joined.filter((id) => id !== room), ...(isIn ? [room] : [])]);
    this.#chat.groups.sendJson(pagesOf(user), { event: 'moved', room, isIn } satisfies ChatEvent, { except: channel });
  }

  /** What it returns is the answer to the number that `request` of the client gave the message. */
  async send(message: InRoom<typeof sendSchema>): Promise<{ readonly number: number; readonly at: string }> {
    this.#checkIsIn(message);
    const kept = await this.#chat.log.append({ ...message.body, from: personOf(message.user) }).catch(tryAgain);
    this.#chat.groups.sendJson(kept.room, { event: 'message', ...kept } satisfies ChatEvent);
    return { number: kept.number, at: kept.at };
  }

  typing(message: InRoom<typeof roomSchema>): void {
    this.#checkIsIn(message);
    const { body, channel, user } = message;
    this.#chat.groups.sendJson(body.room, { event: 'typing', ...body, user: personOf(user) } satisfies ChatEvent, { except: channel });
  }

  async history(message: InRoom<typeof historySchema>): Promise<void> {
    this.#checkIsIn(message);
    const { body, channel } = message;
    const messages = await this.#chat.log.read(body.room, body).catch(tryAgain);
    channel.sendJson({ event: 'history', ...body, messages } satisfies ChatEvent);
  }

  #checkIsIn({ body: { room }, channel }: InRoom<typeof roomSchema>): void {
    if (!this.#chat.groups.groupsOf(channel).includes(room)) throw new ClientError('not_in_room', { room });
  }
}

/** The group of all pages of a member. */
function pagesOf({ id }: Member): string {
  return `pages:${id}`;
}

/** Where the log cannot be reached, the client is told so and its connection stays: it tries again. */
function tryAgain(): never {
  throw new ClientError('try_again', { retryAfterMs: 1_000 });
}
