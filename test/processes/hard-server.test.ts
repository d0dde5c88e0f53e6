import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.js';
import { frameOf } from '../support/frames.js';
import { closeFrame, frame, opcodes, RawClient } from '../support/raw-client.js';

const megabyte = 1_048_576;
const modes = ['handleUpgrades', 'accept'] as const;

interface State {
  readonly size: number;
  readonly rss: number;
}

const children = new Set<ChildProcess>();
afterEach(() => {
  for (const child of children) child.kill('SIGKILL');
  children.clear();
});

/** The server of `hard-server.mjs`, a process that ends by whatever nobody catches. */
class HardServer {
  readonly #child: ChildProcess;
  readonly port: number;
  #stderr = '';

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
    child.stderr?.on('data', (chunk) => {
      this.#stderr += String(chunk);
    });
  }

  static async start(mode: (typeof modes)[number], execArgv: readonly string[] = []): Promise<HardServer> {
    const program = fileURLToPath(new URL('hard-server.mjs', import.meta.url));
    const child = fork(program, { execArgv: ['--expose-gc', ...execArgv], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    children.add(child);
    const [{ ports }] = (await once(child, 'message')) as [{ ports: [number, number] }];
    return new HardServer(child, ports[modes.indexOf(mode)] as number);
  }

  async state(): Promise<State> {
    const answer = once(this.#child, 'message');
    this.#child.send('state');
    return ((await answer) as [State])[0];
  }

  /** Lets handlers go on that hang. */
  goOn(): void {
    this.#child.send('go on');
  }

  /** Somebody else is served, and nothing has ended the process or been told to nobody. */
  async mustLive(): Promise<void> {
    const client = await RawClient.connect(this.port);
    client.write(frame('echo'));
    let next = await client.nextFrame();
    if (next.payload.toString() !== 'alive') next = await client.nextFrame();
    expect(next.payload.toString()).toBe('alive');
    client.write(closeFrame(1000));
    await client.ended();
    client.finish();
    await eventually(async () => expect((await this.state()).size).toBe(0));
    expect(this.#child.exitCode).toBe(null);
    expect(this.#stderr).not.toMatch(/unhandled|uncaught/i);
  }

  async close(): Promise<void> {
    const exit = once(this.#child, 'exit');
    this.#child.send('close');
    expect((await exit)[0]).toBe(0);
  }
}

const failures = [
  'throw',
  'reject',
  'reject later',
  'throw nothing',
  'throw what cannot be read',
  'thenable',
  'set what is no JSON',
  'bad close',
];

describe.each(modes)('a process of its own (%s)', { timeout: 60_000 }, (mode) => {
  it('outlives all that handlers, hooks and clients do to it', async () => {
    const server = await HardServer.start(mode);
    const { port } = server;
    for (const deed of failures) {
      const refused = await RawClient.upgrade(port, { headers: { 'X-Connect': deed } });
      const status = await refused.status();
      expect(mode === 'accept' ? await refused.closeCode() : status).toBe(mode === 'accept' ? 1011 : 500);
      refused.finish();
      const failing = await RawClient.upgrade(port);
      await failing.status();
      failing.write(frame(deed));
      expect(await failing.closeCode()).toBe(1011);
      failing.finish();
      const leaving = await RawClient.upgrade(port, { headers: { 'X-Disconnect': deed } });
      await leaving.status();
      leaving.reset();
    }
    for (const bytes of [frameOf({ opcode: 3 }), frameOf({ opcode: 1, isMasked: false }), Buffer.alloc(1_000, 0xff)]) {
      const broken = await RawClient.upgrade(port, { head: bytes });
      await broken.status();
      await broken.ended();
    }
    for (const point of [0, 1, 20, 100, 150]) {
      const reset = await RawClient.open(port);
      const handshake = `GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${'A'.repeat(22)}==\r\n\r\n`;
      reset.write(Buffer.from(handshake.slice(0, point)));
      reset.reset();
    }
    await server.mustLive();
    await server.close();
  });

  it('holds no more than its bounds, whoever sends frames before connect is done', async () => {
    const server = await HardServer.start(mode, ['--max-old-space-size=64']);
    const before = await server.state();
    const clients: RawClient[] = [];
    const piece = frame(Buffer.alloc(500_000), opcodes.binary);
    for (let index = 0; index < 10; index += 1) {
      const client = await RawClient.upgrade(server.port, { headers: { 'X-Connect': 'hang' } });
      for (let sent = 0; sent < 20; sent += 1) client.write(piece);
      clients.push(client);
    }
    for (const client of clients) expect(await client.status()).toBe(mode === 'accept' ? 101 : 408); // it is read no further, so nothing overflows
    expect((await server.state()).rss - before.rss).toBeLessThan(60 * megabyte); // of 100
    for (const client of clients) client.reset();
    await server.mustLive();
  });
});

/** How a channel came in is no matter any more. */
describe('a process of its own, after connect', { timeout: 60_000 }, () => {
  it('holds no more than its bounds, whoever floods it while its handlers hang', async () => {
    const server = await HardServer.start('handleUpgrades', ['--max-old-space-size=64']);
    const before = await server.state();
    const piece = Buffer.concat(Array.from({ length: 64 }, () => frame('x'.repeat(16_000))));
    const clients: RawClient[] = [];
    for (let index = 0; index < 10; index += 1) {
      const client = await RawClient.connect(server.port);
      client.write(frame('hang'));
      for (let sent = 0; sent < 20; sent += 1) client.write(piece);
      clients.push(client);
    }
    await eventually(() => {
      for (const { socket } of clients) expect(socket.writableLength).toBeGreaterThan(10 * megabyte); // it is read no further
    });
    expect((await server.state()).rss - before.rss).toBeLessThan(100 * megabyte); // of 200
    for (const client of clients) client.reset();
    server.goOn();
    await server.mustLive();
  });

  it('holds no more than its bounds, though clients that it sends 4 MiB a turn read nothing', async () => {
    const server = await HardServer.start('accept', ['--max-old-space-size=64']);
    const before = await server.state();
    const clients: RawClient[] = [];
    for (let index = 0; index < 4; index += 1) {
      const client = await RawClient.connect(server.port);
      client.socket.pause();
      client.write(frame('flood'));
      clients.push(client);
    }
    await eventually(async () => expect((await server.state()).size).toBe(0)); // cut, each of them
    expect((await server.state()).rss - before.rss).toBeLessThan(100 * megabyte);
    for (const client of clients) {
      client.socket.resume();
      expect([1013, undefined]).toContain(await client.closeCode().catch(() => undefined));
    }
    await server.mustLive();
  });
});
