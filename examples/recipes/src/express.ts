import { createServer } from 'node:http';
import MongoStore from 'connect-mongo';
import express from 'express';
import session from 'express-session';
import { ChannelServer, withAuthenticatedUser, withChannelUser, withUserFromHttp } from 'ws-with';
import { ExpressSessionReader } from 'ws-with/express';
import { users } from './tokens.js';

declare module 'express-session' {
  interface SessionData {
    userId: string;
  }
}

const mongoUrl = process.env['MONGODB_URL'] ?? 'mongodb://127.0.0.1:27017';
export const store = MongoStore.create({ mongoUrl, dbName: 'recipes' });
const sessionParser = session({ secret: 'keyboard cat', resave: false, saveUninitialized: false, store });
const app = express().use(sessionParser);
app.post('/login', (request, response, next) => {
  // once the password was checked: a new session, so that nobody else knows its id
  request.session.regenerate((error) => {
    if (error) return next(error);
    request.session.userId = 'ada';
    response.sendStatus(204);
  });
});
app.post('/logout', (request, response, next) => {
  const { sessionID } = request;
  request.session.destroy((error) => {
    if (error) return next(error);
    // #region ws-with
    channels.disconnectHttpSession(sessionID).then(() => response.sendStatus(204), next);
    // #endregion
  });
});
export const server = createServer(app);

// #region ws-with
export const channels = new ChannelServer({
  connect: withUserFromHttp({ sessions: new ExpressSessionReader(sessionParser), users })(
    withAuthenticatedUser((message) => message.channel.sendJson({ hello: message.user.id })),
  ),
  receive: withChannelUser((message) => message.channel.sendJson({ from: message.user.id, text: message.text })),
});
channels.handleUpgrades(server, { path: '/chat' });
// #endregion
