import {
  type ChannelHandlers,
  ClientError,
  type ConnectMessage,
  type DisconnectMessage,
  dispatchOn,
  type HasAuthenticatedUser,
  type HasBody,
  type HasChannelSession,
  type ReceiveMessage,
  withAuthenticatedUser,
  withChannelSession,
  withChannelUser,
  withJson,
} from 'ws-with';
import { z } from 'zod';
import type { EventLog } from './event-log.js';
import { type Auth, identified } from './identified.js';
import { personOf, type Room } from './room.js';
import { peopleOf, type Rooms } from './rooms.js';

const roomSchema = z.object({ room: z.string().min(1).max(64) });
const sendSchema = roomSchema.extend({ text: z.string().trim().min(1).max(2000) });

type FromMember = HasAuthenticatedUser & HasChannelSession;
type InRoom = ReceiveMessage & FromMember & HasBody<z.output<typeof roomSchema>>;
type Sending = ReceiveMessage & FromMember & HasBody<z.output<typeof sendSchema>>;

/** What the handlers work with. */
export interface Chat {
  readonly auth: Auth;
  readonly rooms: Rooms;
  readonly log: EventLog;
}

/** The handlers of the chat's socket, each wrapped by itself. They are the same for tokens and for HTTP sessions. */
export function chatHandlers({ auth, rooms, log }: Chat): ChannelHandlers {
  function connect(message: ConnectMessage & FromMember): void {
    const { channel, channelSession, user } = message;
    // Nothing is awaited here: were the client to leave meanwhile, disconnect would not be called and it would haunt its rooms.
    const joined = rooms.arrive(channel, user, channelSession.get('rooms') ?? []);
    channel.sendJson({ event: 'welcome', you: personOf(user), rooms: rooms.summaries, joined: joined.map(peopleOf) });
  }

  async function join({ body, channelSession, user }: InRoom): Promise<void> {
    const room = rooms.get(body.room);
    if (!room.admits(user)) throw new ClientError('staff_only', { room: room.id });
    channelSession.update('rooms', (joined = []) => [...joined.filter((id) => id !== room.id), room.id]);
    await log.append({ kind: 'join', room: room.id, by: personOf(user) });
  }

  async function leave({ body, channelSession, user }: InRoom): Promise<void> {
    const room = rooms.get(body.room);
    channelSession.update('rooms', (joined = []) => joined.filter((id) => id !== room.id));
    await log.append({ kind: 'leave', room: room.id, by: personOf(user) });
  }

  async function send(message: Sending): Promise<void> {
    const room = roomOf(message);
    await log.append({ kind: 'send', room: room.id, by: personOf(message.user), text: message.body.text });
  }

  async function typing(message: InRoom): Promise<void> {
    const room = roomOf(message);
    await log.append({ kind: 'typing', room: room.id, by: personOf(message.user) });
  }

  async function history(message: InRoom): Promise<void> {
    const room = roomOf(message);
    message.channel.sendJson({ event: 'history', room: room.id, messages: await log.latest(room.id) });
  }

  // The session's list stays as it is: with it, the member's next page comes back into the same rooms.
  function disconnect({ channel, user }: DisconnectMessage & FromMember): void {
    rooms.depart(channel, user);
  }

  /** The room that a message is for, if its channel is in it. */
  function roomOf({ body, channel, user }: InRoom): Room {
    const room = rooms.get(body.room);
    if (!room.has(channel, user)) throw new ClientError('not_in_room', { room: room.id });
    return room;
  }

  return {
    connect: identified[auth](withChannelSession({ scope: 'user' })(connect)),
    receive: dispatchOn('command', {
      join: withChannelUser(withAuthenticatedUser(withJson(roomSchema)(join))),
      leave: withChannelUser(withAuthenticatedUser(withJson(roomSchema)(leave))),
      send: withChannelUser(withAuthenticatedUser(withJson(sendSchema)(send))),
      typing: withChannelUser(withAuthenticatedUser(withJson(roomSchema)(typing))),
      history: withChannelUser(withAuthenticatedUser(withJson(roomSchema)(history))),
    }),
    disconnect: withChannelUser(withAuthenticatedUser(disconnect)),
  };
}
