export type { ConnectMiddleware } from '../adapters/express/connect-middleware.js';
export { ExpressSessionReader, type ExpressSessionReaderOptions } from '../adapters/express/express-session-reader.js';
export { ExpressSessionStore, type ExpressSessionStoreOptions } from '../adapters/express/express-session-store.js';
export type { ExpressStore } from '../adapters/express/express-store.js';
