import { createServer } from 'node:http';
import {
  type Channel,
  ChannelServer,
  type ChannelSessionOptions,
  compose,
  type HasChannelSession,
  type HasUser,
  type ReceiveMessage,
  withAuthenticatedUser,
  withChannelUser,
  withUserFromToken,
} from 'ws-with';
import type { BenchUser } from '../accounts.js';
import { serve } from './serve.js';
import { tokensInMemory } from './tokens-in-memory.js';

/** A received message, as the handlers of these servers get it. */
export type EchoMessage = ReceiveMessage & HasChannelSession & HasUser<BenchUser>;

/** A server with wrapped handlers: it verifies a token at connect, and lets `receive` have user and session. */
export function serveWrapped(receive: (message: EchoMessage) => void | Promise<void>, session: ChannelSessionOptions = {}): void {
  const channels = new ChannelServer(
    {
      connect: compose(withUserFromToken({ tokens: tokensInMemory() }), withAuthenticatedUser)(() => {}),
      receive: withChannelUser<BenchUser>()(receive),
    },
    { session },
  );
  const server = createServer();
  channels.handleUpgrades(server);
  serve(server);
}

/** Answers `message` with the user's name, `count` and the text. */
export function answer(message: EchoMessage, count: number): void {
  const { text } = message.json() as { text: string };
  message.channel.sendJson({ user: (message.user as BenchUser).name, count, text });
}

/** Counts `message` in the session. */
export function counted({ channelSession: session }: EchoMessage): number {
  const count = ((session.get('count') as number | undefined) ?? 0) + 1;
  session.set('count', count);
  return count;
}

const counts = new WeakMap<Channel, number>();

/** Counts `message` beside the session, which is read and not changed. */
export function countedBeside({ channel, channelSession: session }: EchoMessage): number {
  const start = (session.get('start') as number | undefined) ?? 0;
  const count = (counts.get(channel) ?? start) + 1;
  counts.set(channel, count);
  return count;
}
