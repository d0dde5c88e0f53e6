import type { IncomingMessage } from 'node:http';
import { initTRPC, TRPCError } from '@trpc/server';
import { createHTTPServer } from '@trpc/server/adapters/standalone';
import { applyWSSHandler } from '@trpc/server/adapters/ws';
import { WebSocketServer } from 'ws';
import { fromToken, identifyUser } from 'ws-with';
import { tokens } from './tokens.js';

// #region ws-with
const createContext = ({ req }: { req: IncomingMessage }) => identifyUser(req, { sources: [fromToken({ tokens })] });
// #endregion

const { procedure, router } = initTRPC.context<typeof createContext>().create();
const protectedProcedure = procedure.use(({ ctx, next }) => {
  // #region ws-with
  if (!ctx.user.isAuthenticated) throw new TRPCError({ code: 'UNAUTHORIZED' });
  return next({ ctx: { userId: ctx.user.id } });
  // #endregion
});
export const appRouter = router({ me: protectedProcedure.query(({ ctx }) => ctx.userId) });

export const server = createHTTPServer({ router: appRouter, createContext });
const wss = new WebSocketServer({ server });
export const trpc = applyWSSHandler({ wss, router: appRouter, createContext });
