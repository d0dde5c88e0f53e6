import { createServer, type Server } from 'node:http';
import { expect, onTestFinished } from 'vitest';
import { WebSocketServer } from 'ws';
import {
  type ChannelError,
  type ChannelHandlers,
  ChannelServer,
  type ChannelServerOptions,
  type UpgradeOptions,
} from '../../entries/index.js';
import { MemoryTokenRepository, MemoryUserRepository } from '../../entries/memory.js';
import { TestClock } from '../../entries/testing.js';
import { eventually } from './eventually.js';
import { listen } from './http-server.js';
import { collectUncaught } from './uncaught.js';

/** Resolves after a turn of the event loop, with everything done that was ready. */
export { setImmediate as nextTurn } from 'node:timers/promises';

/** Both ways of serving: a refusal is a close code in the one and a status in the other. */
export const modes = ['accept', 'handleUpgrades'] as const;
export type Mode = (typeof modes)[number];

/** A server of channels on a port of its own. */
export interface Served {
  readonly channels: ChannelServer;
  readonly port: number;
  readonly clock: TestClock;
  readonly http: Server;
  /** What `onError` was told. */
  readonly errors: unknown[];
  /** What `onWarning` was told. */
  readonly warnings: ChannelError[];
}

/** Options of {@link serve}. */
export interface ServeOptions extends ChannelServerOptions {
  readonly mode?: Mode;
  readonly upgrades?: UpgradeOptions;
}

/** Ends a server with its test: nothing may be left of it, and nothing of it may have ended the process. */
function stopWithTest(served: Served): void {
  const uncaught = collectUncaught();
  onTestFinished(async () => {
    await stop(served);
    expect(await uncaught(), 'nothing may end the process').toEqual([]);
  });
}

async function stop({ channels, http, clock }: Served): Promise<void> {
  const closed = channels.close({ timeoutMs: 1 });
  await clock.advance(1);
  await closed;
  http.closeAllConnections();
  await eventually(() => expect(channels.channels.size).toBe(0));
}

/** Serves `handlers` on a free port of 127.0.0.1 until the test ends. */
export async function serve(handlers: ChannelHandlers, options: ServeOptions = {}): Promise<Served> {
  const { mode = 'handleUpgrades', upgrades = {}, ...serverOptions } = options;
  const clock = serverOptions.clock instanceof TestClock ? serverOptions.clock : new TestClock();
  const errors: unknown[] = [];
  const warnings: ChannelError[] = [];
  const reports = { onError: (error: unknown) => errors.push(error), onWarning: (warning: ChannelError) => warnings.push(warning) };
  const channels = new ChannelServer(handlers, { clock, ...reports, ...serverOptions });
  const http = createServer();
  if (mode === 'accept') new WebSocketServer({ server: http, clientTracking: false }).on('connection', channels.accept);
  else channels.handleUpgrades(http, upgrades);
  const { port } = await listen(http);
  const served: Served = { channels, port, clock, http, errors, warnings };
  stopWithTest(served);
  return served;
}

/** A repository with one token of one user. */
export async function oneToken(): Promise<{ readonly tokens: MemoryTokenRepository; readonly key: string; readonly cookie: string }> {
  const tokens = new MemoryTokenRepository({ users: new MemoryUserRepository([{ id: 'ann', isAuthenticated: true }]) });
  const { key } = await tokens.issue('ann');
  return { tokens, key, cookie: `key=${key}` };
}
