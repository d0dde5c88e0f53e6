import { createServer } from 'node:http';
import { buildSchema } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { identifyKey } from 'ws-with';
import { tokens } from './tokens.js';

const schema = buildSchema('type Query { me: ID }');
const roots = { query: { me: (_args: unknown, { userId }: { userId: string | null }) => userId } };
export const server = createServer();
const wss = new WebSocketServer({ server, path: '/graphql' });

// #region ws-with
const identify = async (params?: Record<string, unknown>) => (await identifyKey(params?.['token'], { tokens })).user;
// #endregion

export const graphql = useServer(
  {
    schema,
    roots,
    // #region ws-with
    onConnect: async ({ connectionParams }) => (await identify(connectionParams)).isAuthenticated,
    context: async ({ connectionParams }) => ({ userId: (await identify(connectionParams)).id }),
    // #endregion
  },
  wss,
);
