import { parseArgs } from 'node:util';
import type { MultiChatOptions } from './multichat.js';

/** What the command line and the environment ask for. */
export interface Options extends Pick<MultiChatOptions, 'auth' | 'host' | 'port' | 'publicOrigin'> {
  /** The database to keep everything in; without one it is kept in memory. */
  readonly mongodbUrl: string | undefined;
}

/** What `--help` says. */
export const usage: string = `Usage: npm start -- [--auth=token|session] [--help]

  --auth          how members are recognized: by a token or by the HTTP session of the site (default: token)

  PORT            where it listens; 0 takes a free port (default: 8080)
  HOST            (default: 127.0.0.1)
  PUBLIC_ORIGIN   what browsers see of it behind a proxy, e.g. https://chat.example.com
  MONGODB_URL     a replica set to keep everything in, which several processes can share (default: memory)`;

/** Reads what {@link usage} lists. @throws {TypeError} naming the option, what it expects and what it got. */
export function readOptions(args: readonly string[], environment: NodeJS.ProcessEnv): Options | 'help' {
  const { auth, help } = parseArgs({
    args: [...args],
    options: { auth: { type: 'string', default: 'token' }, help: { type: 'boolean', short: 'h' } },
  }).values;
  if (help) return 'help';
  if (auth !== 'token' && auth !== 'session') throw new TypeError(`--auth must be token or session, got ${auth}`);
  const { HOST, PORT, PUBLIC_ORIGIN, MONGODB_URL } = environment;
  const port = /^\d+$/.test(PORT || '8080') ? Number(PORT || '8080') : Number.NaN;
  if (!(port <= 65_535)) throw new TypeError(`PORT must be a whole number from 0 to 65535, got ${PORT}`);
  if (PUBLIC_ORIGIN && !(/^https?:/.test(PUBLIC_ORIGIN) && URL.canParse(PUBLIC_ORIGIN)))
    throw new TypeError(`PUBLIC_ORIGIN must be an address such as https://chat.example.com, got ${PUBLIC_ORIGIN}`);
  // the address is in no message: it may hold a password
  if (MONGODB_URL && !/^mongodb(\+srv)?:\/\//.test(MONGODB_URL))
    throw new TypeError('MONGODB_URL must begin with mongodb:// or mongodb+srv://, got something else');
  const publicOrigin = PUBLIC_ORIGIN ? new URL(PUBLIC_ORIGIN).origin : undefined;
  return { auth, host: HOST || '127.0.0.1', port, publicOrigin, mongodbUrl: MONGODB_URL || undefined };
}
