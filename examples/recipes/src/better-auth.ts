import { createServer } from 'node:http';
import { betterAuth, type Session } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { fromNodeHeaders, toNodeHandler } from 'better-auth/node';
import { ChannelError, ChannelServer, type HttpSessionReader, type UserRepository, withAuthenticatedUser, withUserFromHttp } from 'ws-with';

export const auth = betterAuth({
  baseURL: 'http://127.0.0.1',
  secret: 'a secret of at least thirty-two characters',
  database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
  emailAndPassword: { enabled: true },
  // #region ws-with
  databaseHooks: { session: { delete: { after: async ({ id }) => void (await channels.disconnectHttpSession(id)) } } },
  // #endregion
});
export const server = createServer(toNodeHandler(auth));

// #region ws-with
const { adapter, internalAdapter: rows } = await auth.$context;
const query = { disableCookieCache: true, disableRefresh: true };
const save = () => Promise.reject(new ChannelError('ERR_HTTP_SESSION_READ_ONLY', 'better-auth alone writes its sessions.'));
const live = (row?: Session | null) => (row && row.expiresAt > new Date() ? { id: row.id, userId: row.userId, data: {}, save } : undefined);
export const sessions: HttpSessionReader = {
  read: async ({ headers }) => live((await auth.api.getSession({ headers: fromNodeHeaders(headers), query }))?.session),
  readById: async (id) => live(await adapter.findOne({ model: 'session', where: [{ field: 'id', value: id }] })),
};
const users: UserRepository = { findById: async (id) => ((await rows.findUserById(id)) ? { id, isAuthenticated: true } : undefined) };
export const channels: ChannelServer = new ChannelServer({
  connect: withUserFromHttp({ sessions, users })(withAuthenticatedUser(({ channel, user }) => channel.sendJson({ hello: user.id }))),
});
channels.handleUpgrades(server, { path: '/chat' });
// #endregion
