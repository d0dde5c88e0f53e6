// Which files of the package a handshake and a message enter, and how many calls they make there: `npm run bench -- journey`.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { Session } from 'node:inspector/promises';
import type { AddressInfo } from 'node:net';
import { ChannelServer, tokenIdOf, withChannelUser, withUserFromToken } from 'ws-with';
import { keyOf, userOf } from './accounts.js';
import { handshakeWith, maskedFrame, RawConnection } from './load/raw-connection.js';

/** What one event of a channel's life enters. */
export interface Journey {
  /** The files of the package, each with the calls of its functions. */
  readonly files: ReadonlyMap<string, number>;
  readonly calls: number;
}

/** The journeys that are measured. */
export interface Journeys {
  /** A token's handshake, from the upgrade to the 101 and the beginning of the channel's life. */
  readonly handshake: Journey;
  /**
   * A channel's first message, with user and session, from the frame to the frame of its answer: it makes what only those need that speak.
   */
  readonly firstMessage: Journey;
  /** One after it. */
  readonly message: Journey;
}

const packageFiles = /\/dist\/((?:src|decorators|adapters)\/.*)\.js$/;

/** Measures them, with a repository that enters nothing of the package and no options but the repository. */
export async function measureJourneys(): Promise<Journeys> {
  const tokenId = tokenIdOf(keyOf(0));
  const grant = { id: tokenId, user: userOf(0) };
  const tokens = { findById: async (id: string) => (id === tokenId ? grant : undefined) };
  const channels = new ChannelServer({
    connect: withUserFromToken({ tokens })(() => {}),
    receive: withChannelUser((message) => void message.channel.send(`${message.user.id} said ${message.text}`)),
  });
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  channels.handleUpgrades(server);
  const coverage = new Session();
  coverage.connect();
  try {
    return await measureOn((server.address() as AddressInfo).port, coverage);
  } finally {
    coverage.disconnect();
    await channels.close();
    server.close();
  }
}

async function measureOn(port: number, coverage: Session): Promise<Journeys> {
  const exchange = async (connection: RawConnection): Promise<void> => {
    const answered = new Promise<void>((resolve) => {
      connection.onFrames = () => resolve();
    });
    connection.write(maskedFrame('hello'));
    await answered;
    await quiet();
  };
  const first = await RawConnection.open(port, handshakeWith(keyOf(0)));
  await exchange(first); // what is made at the first use is none of theirs
  await coverage.post('Profiler.enable');
  await coverage.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  await journeySince(coverage);
  const second = await RawConnection.open(port, handshakeWith(keyOf(0)));
  await quiet();
  const handshake = await journeySince(coverage);
  await exchange(second);
  const firstMessage = await journeySince(coverage);
  await exchange(second);
  const message = await journeySince(coverage);
  first.drop();
  second.drop();
  return { handshake, firstMessage, message };
}

/** What is left to do of an event is done: nothing of the package waits for more than the next turn of the event loop. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** What ran since it was asked last. */
async function journeySince(coverage: Session): Promise<Journey> {
  const { result } = await coverage.post('Profiler.takePreciseCoverage');
  const files = new Map<string, number>();
  for (const { url, functions } of result) {
    const [, file] = packageFiles.exec(url) ?? [];
    const calls = functions.reduce((sum, { ranges }) => sum + (ranges[0]?.count ?? 0), 0);
    if (file !== undefined && calls > 0) files.set(`${file}.ts`, calls);
  }
  return { files, calls: [...files.values()].reduce((sum, calls) => sum + calls, 0) };
}

/** A journey, for people: its files, those with the most calls first. */
export function describeJourney(name: string, { files, calls }: Journey): string {
  const rows = [...files].sort(([, one], [, other]) => other - one).map(([file, count]) => `  ${String(count).padStart(4)}  ${file}`);
  return [`${name}: ${files.size} files, ${calls} calls`, ...rows].join('\n');
}
