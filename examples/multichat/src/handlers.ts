import { hostname } from 'node:os';
import { RateLimiterMemory } from 'rate-limiter-flexible';
import {
  type ChannelHandlers,
  ClientError,
  type ConnectMessage,
  compose,
  DenyConnection,
  dispatchOn,
  type HasAuthenticatedUser,
  type HasBody,
  type HasChannelSession,
  type ReceiveMessage,
  withAuthenticatedUser,
  withChannelSession,
  withChannelUser,
  withJson,
  withRequestId,
} from 'ws-with';
import { withRateLimit } from 'ws-with/rate-limit';
import { z } from 'zod';
import { type Chat, personOf } from './chat.js';
import type { ChatEvent, NoticeOptions } from './events.js';
import { identified as bySession } from './identified-by-session.js';
import { identified as byToken } from './identified-by-token.js';
import type { Member } from './member.js';
import { rooms, roomsFor } from './rooms.js';

const roomSchema = z.object({ room: z.enum(rooms.map(({ id }) => id)) });
const moveSchema = roomSchema.extend({ follows: z.boolean().default(false) });
const sendSchema = roomSchema.extend({ id: z.string().regex(/^[\w-]{8,64}$/), text: z.string().trim().min(1).max(2000) });
const historySchema = roomSchema.extend({ before: z.int().positive().optional(), after: z.int().nonnegative().optional() });

type FromMember = HasAuthenticatedUser & HasChannelSession;
type InRoom<Schema extends z.ZodType> = ReceiveMessage & FromMember & HasBody<z.output<Schema>>;

/** How members are recognized: by a token in the cookie `key`, or by the web site's session. */
export type Auth = 'token' | 'session';

/** The handlers of the chat's socket. They are the same for tokens and for HTTP sessions. */
export function chatHandlers(auth: Auth, chat: Chat, notices: NoticeOptions): ChannelHandlers {
  const { groups, log } = chat;
  const limiter = new RateLimiterMemory({ points: 30, duration: 10 });
  const node = `process ${process.pid} of ${hostname()}`;

  async function connect(message: ConnectMessage & FromMember): Promise<void> {
    await welcome(message).catch(() => {
      throw new DenyConnection({ status: 503, closeCode: 1013, reason: 'try again later' });
    });
  }

  async function sync(message: ReceiveMessage & FromMember): Promise<void> {
    await message.channelSession.reload().catch(tryAgain);
    await welcome(message).catch(tryAgain);
  }

  /** Brings a page's channel into the rooms of its member's session, and tells it all that it has to know. Whoever leaves meanwhile leaves the groups by itself. */
  async function welcome({ authentication, channel, channelSession, user }: (ConnectMessage | ReceiveMessage) & FromMember): Promise<void> {
    const ids = channelSession.get('rooms') ?? [];
    const joined = roomsFor(user).filter(({ id }) => ids.includes(id));
    groups.add(pagesOf(user), channel);
    for (const room of rooms) groups[joined.includes(room) ? 'add' : 'discard'](room.id, channel);
    channel.sendJson({
      event: 'welcome',
      you: personOf(user),
      connection: { by: authentication?.source, until: authentication?.expiresAt?.toISOString(), node },
      rooms,
      joined: await Promise.all(joined.map(({ id }) => chat.now(id))),
      notices,
    } satisfies ChatEvent);
  }

  async function join(message: InRoom<typeof moveSchema>): Promise<void> {
    const { body, channel, user } = message;
    const { room } = body;
    if (!roomsFor(user).some(({ id }) => id === room)) throw new ClientError('staff_only', { room });
    groups.add(room, channel);
    const now = await chat.now(room).catch(() => {
      groups.discard(room, channel);
      return tryAgain();
    });
    channel.sendJson({ event: 'joined', ...now } satisfies ChatEvent);
    follow(message, true);
  }

  function leave(message: InRoom<typeof moveSchema>): void {
    const { body, channel } = message;
    groups.discard(body.room, channel);
    channel.sendJson({ event: 'left', room: body.room } satisfies ChatEvent);
    follow(message, false);
  }

  /** Has the member's other pages do as this one did; a page that does so changes nothing but its own place. */
  function follow({ body: { room, follows }, channel, channelSession, user }: InRoom<typeof moveSchema>, isIn: boolean): void {
    if (follows) return;
    channelSession.update('rooms', (joined = []) => [...joined.filter((id) => id !== room), ...(isIn ? [room] : [])]);
    groups.sendJson(pagesOf(user), { event: 'moved', room, isIn } satisfies ChatEvent, { except: channel });
  }

  /** What it returns is the answer to the number that `request` of the client gave the message. */
  async function send(message: InRoom<typeof sendSchema>): Promise<{ readonly number: number; readonly at: string }> {
    checkIsIn(message);
    const kept = await log.append({ ...message.body, from: personOf(message.user) }).catch(tryAgain);
    groups.sendJson(kept.room, { event: 'message', ...kept } satisfies ChatEvent);
    return { number: kept.number, at: kept.at };
  }

  function typing(message: InRoom<typeof roomSchema>): void {
    checkIsIn(message);
    const { body, channel, user } = message;
    groups.sendJson(body.room, { event: 'typing', ...body, user: personOf(user) } satisfies ChatEvent, { except: channel });
  }

  async function history(message: InRoom<typeof historySchema>): Promise<void> {
    checkIsIn(message);
    const { body, channel } = message;
    const messages = await log.read(body.room, body).catch(tryAgain);
    channel.sendJson({ event: 'history', ...body, messages } satisfies ChatEvent);
  }

  function checkIsIn({ body: { room }, channel }: InRoom<typeof roomSchema>): void {
    if (!groups.groupsOf(channel).includes(room)) throw new ClientError('not_in_room', { room });
  }

  return {
    connect: { token: byToken, session: bySession }[auth](withChannelSession({ scope: 'user' })(connect)),
    receive: compose(
      withChannelUser,
      withAuthenticatedUser,
      withRequestId,
    )(
      dispatchOn<ReceiveMessage & FromMember>('command', {
        sync,
        join: withJson(moveSchema)(join),
        leave: withJson(moveSchema)(leave),
        send: withJson(sendSchema)(withRateLimit({ limiter, by: 'user' })(send)),
        typing: withJson(roomSchema)(typing),
        history: withJson(historySchema)(history),
      }),
    ),
  };
}

/** The group of all pages of a member. */
function pagesOf({ id }: Member): string {
  return `pages:${id}`;
}

/** Where the log cannot be reached, the client is told so and its connection stays: it tries again. */
function tryAgain(): never {
  throw new ClientError('try_again', { retryAfterMs: 1_000 });
}
