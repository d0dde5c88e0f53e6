import {
  type Channel,
  type ChannelHandlers,
  ClientError,
  type ConnectMessage,
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
import { admits, groupOf, roomFor, rooms } from './rooms.js';

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
  const { chat, limiter } = options;
  const { groups, log } = chat;

  async function connect(message: ConnectMessage & FromMember): Promise<void> {
    await welcome(message, options).catch(() => {
      throw new DenyConnection({ status: 503, closeCode: 1013, reason: 'try again later' });
    });
  }

  async function sync(message: ReceiveMessage & FromMember): Promise<void> {
    await orTryAgain(message.channelSession.reload());
    await orTryAgain(welcome(message, options));
  }

  async function join({ body, channel, channelSession, user }: InRoom<typeof moveSchema>): Promise<void> {
    const room = roomFor(user, body.room);
    if (!body.follows) channelSession.update('rooms', (joined = []) => [...joined.filter((id) => id !== room.id), room.id]);
    groups.add(groupOf(room), channel);
    tell(channel, { event: 'joined', ...(await orTryAgain(chat.now(room))) });
    if (!body.follows) tellOtherPages(channel, user, { event: 'moved', room: room.id, isIn: true });
  }

  function leave({ body, channel, channelSession, user }: InRoom<typeof moveSchema>): void {
    const room = roomFor(user, body.room);
    if (!body.follows) channelSession.update('rooms', (joined = []) => joined.filter((id) => id !== room.id));
    groups.discard(groupOf(room), channel);
    tell(channel, { event: 'left', room: room.id });
    if (!body.follows) tellOtherPages(channel, user, { event: 'moved', room: room.id, isIn: false });
  }

  /** What it returns is the answer to the number that `request` of the client gave the message. */
  async function send(message: InRoom<typeof sendSchema>): Promise<{ readonly number: number; readonly at: string }> {
    const { body, user } = message;
    const room = roomOf(message);
    const kept = await orTryAgain(log.append({ id: body.id, room: room.id, from: personOf(user), text: body.text }));
    groups.sendJson(groupOf(room), { event: 'message', ...kept } satisfies ChatEvent);
    return { number: kept.number, at: kept.at };
  }

  function typing(message: InRoom<typeof roomSchema>): void {
    const { channel, user } = message;
    const room = roomOf(message);
    groups.sendJson(groupOf(room), { event: 'typing', room: room.id, user: personOf(user) } satisfies ChatEvent, { except: channel });
  }

  async function history(message: InRoom<typeof historySchema>): Promise<void> {
    const { room: _, ...range } = message.body;
    const room = roomOf(message);
    const messages = await orTryAgain(log.read(room.id, range));
    tell(message.channel, { event: 'history', room: room.id, ...range, messages } as ChatEvent);
  }

  function tellOtherPages(channel: Channel, member: Member, event: ChatEvent): void {
    groups.sendJson(pagesOf(member), event, { except: channel });
  }

  /** The room that a message is for, if its channel is in it. */
  function roomOf({ body, channel, user }: InRoom<typeof roomSchema>): RoomSummary {
    const room = rooms.find(({ id }) => id === body.room);
    if (room === undefined) return roomFor(user, body.room);
    if (!groups.groupsOf(channel).includes(groupOf(room))) throw new ClientError('not_in_room', { room: room.id });
    return room;
  }

  const limited = withRateLimit({ limiter, by: 'user' });
  return {
    connect: identified[options.auth](withChannelSession({ scope: 'user' })(connect)),
    receive: withChannelUser(
      withAuthenticatedUser(
        withRequestId(
          dispatchOn('command', {
            sync: withChannelUser(withAuthenticatedUser(withChannelSession(sync))),
            join: withChannelUser(withAuthenticatedUser(withJson(moveSchema)(join))),
            leave: withChannelUser(withAuthenticatedUser(withJson(moveSchema)(leave))),
            send: withChannelUser(withAuthenticatedUser(withJson(sendSchema)(limited(send)))),
            typing: withChannelUser(withAuthenticatedUser(withJson(roomSchema)(typing))),
            history: withChannelUser(withAuthenticatedUser(withJson(historySchema)(history))),
          }),
        ),
      ),
    ),
  };
}

/** Brings a page's channel into the rooms of its member's session, and tells it all that it has to know. Whoever leaves meanwhile leaves the groups by itself. */
async function welcome(message: (ConnectMessage | ReceiveMessage) & FromMember, { chat, node, notices }: HandlerOptions): Promise<void> {
  const { authentication, channel, channelSession, user } = message;
  const ids = channelSession.get('rooms') ?? [];
  const joined = rooms.filter((room) => ids.includes(room.id) && admits(room, user));
  chat.groups.add(pagesOf(user), channel);
  for (const room of rooms) chat.groups[joined.includes(room) ? 'add' : 'discard'](groupOf(room), channel);
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
async function orTryAgain<Result>(operation: Promise<Result>): Promise<Result> {
  try {
    return await operation;
  } catch {
    throw new ClientError('try_again', { retryAfterMs: 1_000 });
  }
}
