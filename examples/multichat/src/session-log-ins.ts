import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import type { CookieOptions, RequestHandler } from 'express';
import session, { type SessionData, type Store } from 'express-session';
import type { ChannelServer } from 'ws-with';
import { deviceOf } from './device.js';
import { type LogIns, logInTtlMs } from './log-ins.js';

declare module 'express-session' {
  interface SessionData {
    userId: string;
    device: string;
    /** ISO 8601, UTC. */
    createdAt: string;
  }
}

/** Where the sessions of the site are. */
export interface SiteSessions {
  readonly store: Store;
  /** What their cookies are signed with. */
  readonly secret: string;
  /** The sessions of a user that have not ended, by id, the oldest first. */
  of(userId: string): Promise<ReadonlyMap<string, SessionData>>;
}

const name = 'sessionid';

/** The middleware of the sessions, which the site runs for requests, and the package for handshakes. */
export function sessionMiddleware({ store, secret }: SiteSessions, cookie: CookieOptions): RequestHandler {
  return session({ name, store, secret, resave: false, saveUninitialized: false, proxy: true, cookie: { ...cookie, maxAge: logInTtlMs } });
}

/** A log-in is a session of express-session, whose cookie is `sessionid`. */
export function sessionLogIns(sessions: SiteSessions, middleware: RequestHandler, channels: ChannelServer, cookie: CookieOptions): LogIns {
  /** Whether browsers speak https is known from the public address, whatever the proxy says of it. */
  const asBrowsersSee: RequestHandler = ({ headers }, _, next) => {
    headers['x-forwarded-proto'] = cookie.secure ? 'https' : 'http';
    next();
  };
  const destroy = promisify<string, void>(sessions.store.destroy.bind(sessions.store));
  return {
    middleware: [asBrowsersSee, middleware],
    async begin(request, _, member) {
      const former = request.sessionID;
      await promisify(request.session.regenerate.bind(request.session))();
      await channels.disconnectHttpSession(former);
      const device = deviceOf(request.get('user-agent'));
      Object.assign(request.session, { userId: member.id, device, createdAt: new Date().toISOString() });
      await promisify(request.session.save.bind(request.session))();
    },
    async listOf(member, { sessionID }) {
      return [...(await sessions.of(member.id))].map(([id, { device, createdAt }]) => ({
        id: createHash('sha256').update(id).digest('hex'),
        isThis: id === sessionID,
        device,
        createdAt: new Date(createdAt),
        // first the session, then its channels, so that no page comes back in between
        end: () => destroy(id).then(() => channels.disconnectHttpSession(id)),
      }));
    },
    async end(request, response) {
      const { session: ended, sessionID } = request;
      await promisify(ended.destroy.bind(ended))();
      await channels.disconnectHttpSession(sessionID);
      response.clearCookie(name, cookie);
    },
  };
}
