import {
  type Channel,
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
import { type RateLimiter, withRateLimit } from 'ws-with/rate-limit';
import { z } from 'zod';
import { type Chat, personOf } from './chat.js';
import type { ChatEvent, NoticeOptions, RoomSummary } from './events.js';
import { type Auth, identified } from './identified.js';
import type { Member } from './member.js';
import { admits, roomFor, rooms, roomWith } from './rooms.js';

const roomSchema = z.object({ room: z.string().min(1).max(64) });
const moveSchema = roomSchema.extend({ follows: z.boolean().default(false) });
const sendSchema = roomSchema.extend({ id: z.string().regex(/^[\w-]{8,64}$/), text: z.string().trim().min(1).max(2000) });
const historySchema = roomSchema.extend({ before: z.int().positive().optional(), after: z.int().nonnegative().optional() });

type FromMember = HasAuthenticatedUser & HasChannelSession;
type InRoom<Schema extends z.ZodType> = ReceiveMessage & FromMember & HasBody<z.output<Schema>>;

/** What the handlers work with. */
export interface HandlerOptions {
  readonly auth: Auth;
  readonly chat: Chat;
  /** Counts the messages of each member. */
  readonly limiter: RateLimiter;
  /** What this process is called. */
  readonly node: string;
  readonly notices: NoticeOptions;
}

/** The handlers of the chat's socket. They are the same for tokens and for HTTP sessions. */
export function chatHandlers(options: HandlerOptions): ChannelHandlers {
  const { groups, log } = options.chat;

  async function connect(message: ConnectMessage & FromMember): Promise<void> {
    await welcome(message, options).catch(() => {
      throw new DenyConnection({ status: 503, closeCode: 1013, reason: 'try again later' });
    });
  }

  async function sync(message: ReceiveMessage & FromMember): Promise<void> {
    await message.channelSession.reload().catch(tryAgain);
    await welcome(message, options).catch(tryAgain);
  }

  /** Coming into a room, or leaving it; another page of the member that `follows` changes nothing but its own place. */
  const move =
    (isIn: boolean) =>
    async ({ body, channel, channelSession, user }: InRoom<typeof moveSchema>): Promise<void> => {
      const room = roomFor(user, body.room);
      groups[isIn ? 'add' : 'discard'](room.id, channel);
      tell(channel, isIn ? { event: 'joined', ...(await options.chat.now(room).catch(tryAgain)) } : { event: 'left', room: room.id });
      if (body.follows) return;
      channelSession.update('rooms', (joined = []) => [...joined.filter((id) => id !== room.id), ...(isIn ? [room.id] : [])]);
      groups.sendJson(pagesOf(user), { event: 'moved', room: room.id, isIn } satisfies ChatEvent, { except: channel });
    };

  /** What it returns is the answer to the number that `request` of the client gave the message. */
  async function send(message: InRoom<typeof sendSchema>): Promise<{ readonly number: number; readonly at: string }> {
    const { body, user } = message;
    const room = roomOf(message);
    const kept = await log.append({ id: body.id, room: room.id, from: personOf(user), text: body.text }).catch(tryAgain);
    groups.sendJson(room.id, { event: 'message', ...kept } satisfies ChatEvent);
    return { number: kept.number, at: kept.at };
  }

  function typing(message: InRoom<typeof roomSchema>): void {
    const { channel, user } = message;
    const room = roomOf(message);
    groups.sendJson(room.id, { event: 'typing', room: room.id, user: personOf(user) } satisfies ChatEvent, { except: channel });
  }

  async function history(message: InRoom<typeof historySchema>): Promise<void> {
    const { room: _, ...range } = message.body;
    const room = roomOf(message);
    tell(message.channel, { event: 'history', room: room.id, ...range, messages: await log.read(room.id, range).catch(tryAgain) });
  }

  /** The room that a message is for, if its channel is in it. */
  function roomOf({ body, channel }: InRoom<typeof roomSchema>): RoomSummary {
    const room = roomWith(body.room);
    if (!groups.groupsOf(channel).includes(room.id)) throw new ClientError('not_in_room', { room: room.id });
    return room;
  }

  return {
    connect: identified[options.auth](withChannelSession({ scope: 'user' })(connect)),
    receive: compose(
      withChannelUser,
      withAuthenticatedUser,
      withRequestId,
    )(
      dispatchOn<ReceiveMessage & FromMember>('command', {
        sync,
        join: withJson(moveSchema)(move(true)),
        leave: withJson(moveSchema)(move(false)),
        send: withJson(sendSchema)(withRateLimit({ limiter: options.limiter, by: 'user' })(send)),
        typing: withJson(roomSchema)(typing),
        history: withJson(historySchema)(history),
      }),
    ),
  };
}

/** Brings a page's channel into the rooms of its member's session, and tells it all that it has to know. Whoever leaves meanwhile leaves the groups by itself. */
async function welcome(message: (ConnectMessage | ReceiveMessage) & FromMember, { chat, node, notices }: HandlerOptions): Promise<void> {
  const { authentication, channel, channelSession, user } = message;
  const ids = channelSession.get('rooms') ?? [];
  const joined = rooms.filter((room) => ids.includes(room.id) && admits(room, user));
  chat.groups.add(pagesOf(user), channel);
  for (const room of rooms) chat.groups[joined.includes(room) ? 'add' : 'discard'](room.id, channel);
  tell(channel, {
    event: 'welcome',
    you: personOf(user),
    connection: { by: authentication?.source, until: authentication?.expiresAt?.toISOString(), node },
    rooms,
    joined: await Promise.all(joined.map((room) => chat.now(room))),
    notices,
  });
}

function tell(channel: Channel, event: ChatEvent): void {
  channel.sendJson(event);
}

/** The group of all pages of a member. */
function pagesOf({ id }: Member): string {
  return `pages:${id}`;
}

/** Where the log cannot be reached, the client is told so and its connection stays: it tries again. */
function tryAgain(): never {
  throw new ClientError('try_again', { retryAfterMs: 1_000 });
}
