import { RateLimiterMemory } from 'rate-limiter-flexible';
import {
  type ChannelHandlers,
  type ConnectMessage,
  compose,
  DenyConnection,
  dispatchOn,
  type ReceiveMessage,
  withAuthenticatedUser,
  withChannelSession,
  withChannelUser,
  withJson,
  withRequestId,
} from 'ws-with';
import { withRateLimit } from 'ws-with/rate-limit';
import type { Chat } from './chat.js';
import { ChatCommands, type FromMember, historySchema, moveSchema, roomSchema, sendSchema } from './chat-commands.js';
import type { NoticeOptions } from './events.js';
import { identified as bySession } from './identified-by-session.js';
import { identified as byToken } from './identified-by-token.js';

/** How members are recognized: by a token in the cookie `key`, or by the web site's session. */
export type Auth = 'token' | 'session';

/** The handlers of the chat's socket. They are the same for tokens and for HTTP sessions. */
export function chatHandlers(auth: Auth, chat: Chat, notices: NoticeOptions): ChannelHandlers {
  const commands = new ChatCommands(chat, notices);
  const identified = auth === 'token' ? byToken : bySession;
  const limiter = new RateLimiterMemory({ points: 30, duration: 10 });

  async function connect(message: ConnectMessage & FromMember): Promise<void> {
    await commands.welcome(message).catch(() => {
      throw new DenyConnection({ status: 503, closeCode: 1013, reason: 'try again later' });
    });
  }

  return {
    connect: identified(withChannelSession({ scope: 'user' })(connect)),
    receive: compose(
      withChannelUser,
      withAuthenticatedUser,
      withRequestId,
    )(
      dispatchOn<ReceiveMessage & FromMember>('command', {
        sync: (message) => commands.sync(message),
        join: withJson(moveSchema)((message) => commands.join(message)),
        leave: withJson(moveSchema)((message) => commands.leave(message)),
        send: withJson(sendSchema)(withRateLimit({ limiter, by: 'user' })((message) => commands.send(message))),
        typing: withJson(roomSchema)((message) => commands.typing(message)),
        history: withJson(historySchema)((message) => commands.history(message)),
      }),
    ),
  };
}
