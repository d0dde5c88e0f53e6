import { createServer } from 'node:http';
import express from 'express';
import session from 'express-session';
import passport from 'passport';
import { Strategy } from 'passport-local';
import { ChannelServer, withAuthenticatedUser, withChannelUser, withUserFromHttp } from 'ws-with';
import { ExpressSessionReader } from 'ws-with/express';
import { users } from './tokens.js';

declare global {
  namespace Express {
    interface User {
      id: string;
    }
  }
}

passport.use(new Strategy((username, password, done) => done(null, password === 'countess' ? { id: username } : false)));
passport.serializeUser((user, done) => done(null, user.id));
passport.deserializeUser((id: string, done) => done(null, { id }));

const sessionParser = session({ secret: 'keyboard cat', resave: false, saveUninitialized: false });
const app = express().use(sessionParser, passport.session());
app.post('/login', express.urlencoded(), passport.authenticate('local'), (_request, response) => response.sendStatus(204));
app.post('/logout', (request, response, next) => {
  const { sessionID } = request;
  request.logout((error) => {
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
