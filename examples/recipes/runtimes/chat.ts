// A chat and its clients in one process, for Node, Bun and Deno alike. Ends with status 0 if everything is as it should be.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import {
  ChannelServer,
  type ConnectMessage,
  compose,
  dispatchOn,
  Groups,
  type HasAuthenticatedUser,
  withAuthenticatedUser,
  withChannelUser,
  withJson,
  withUserFromHttp,
  withUserFromToken,
} from 'ws-with';
import { type ClientState, connectChannel } from 'ws-with/client';
import { MemoryHttpSessionReader, MemorySessionStore, MemoryTokenRepository, MemoryUserRepository } from 'ws-with/memory';
import { TestClock } from 'ws-with/testing';
import * as z from 'zod';

const users = new MemoryUserRepository([
  { id: 'ada', isAuthenticated: true },
  { id: 'bob', isAuthenticated: true },
]);
const tokens = new MemoryTokenRepository({ users });
const sessions = new MemoryHttpSessionReader();
const groups = new Groups();
const member = compose(withChannelUser, withAuthenticatedUser);
const said = z.object({ text: z.string().max(99) });
const left: string[] = [];
const clock = new TestClock();

/** Decorators, groups, channel sessions in a store; a refusal is a status. */
class Chat {
  @compose(withUserFromToken({ tokens }), withAuthenticatedUser)
  connect({ channel, user }: ConnectMessage & HasAuthenticatedUser): void {
    groups.add('room', channel);
    channel.sendJson({ hello: user.id });
  }

  receive = dispatchOn('command', {
    count: member(({ channel, channelSession }) => {
      channelSession.update('count', (count) => Number(count ?? 0) + 1);
      channel.sendJson({ count: channelSession.get('count') ?? null });
    }),
    say: compose(
      withChannelUser,
      withAuthenticatedUser,
      withJson(said),
    )(({ body, user }) => {
      groups.sendJson('room', { from: user.id, text: body.text });
    }),
  });

  disconnect = member(({ user }) => void left.push(user.id));
}

const chat = new ChannelServer(new Chat(), { clock, session: { scope: 'user', store: new MemorySessionStore({ clock }) } });
const site = new ChannelServer({
  connect: withUserFromHttp({ sessions, users })(withAuthenticatedUser(({ channel, user }) => channel.sendJson({ hello: user.id }))),
});
const server = createServer((_request, response) => response.end('the site'));
chat.handleUpgrades(server, { path: '/chat' });
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const accepting = new WebSocketServer({ port: 0, host: '127.0.0.1' });
accepting.on('connection', site.accept);
await once(accepting, 'listening');

const portOf = (listening: { address(): unknown }): number => (listening.address() as AddressInfo).port;

/** What a client is sent, in order; rejects where it is closed first. */
class Client {
  readonly closed: Promise<number>;
  readonly #socket: WebSocket;
  readonly #received: string[] = [];
  #wake = (): void => {};

  constructor(port: number, cookie: string) {
    this.#socket = new WebSocket(`ws://127.0.0.1:${port}/chat`, { headers: { cookie } });
    this.#socket.on('message', (data) => {
      this.#received.push(String(data));
      this.#wake();
    });
    this.closed = new Promise((resolve) => this.#socket.once('close', resolve));
  }

  async next(): Promise<unknown> {
    while (this.#received.length === 0) {
      const ended = this.closed.then((code) => Promise.reject(new Error(`closed with ${code}`)));
      await Promise.race([new Promise<void>((resolve) => (this.#wake = resolve)), ended]);
    }
    return JSON.parse(this.#received.shift() ?? '');
  }

  send(value: unknown): void {
    this.#socket.send(JSON.stringify(value));
  }

  close(): void {
    this.#socket.close();
  }
}

/** What the client makes of a handshake that is refused, or that nobody answers, through the runtime's own socket where it has one. */
async function stateAt(port: number): Promise<ClientState | undefined> {
  const channel = connectChannel(`ws://127.0.0.1:${port}/chat`, {
    WebSocket: globalThis.WebSocket ?? WebSocket,
    connectTimeoutMs: 1_000_000, // it is told, and does not wait for that
  });
  for await (const state of channel.states) {
    if (state.name === 'connecting') continue;
    channel.close();
    return state;
  }
  return undefined;
}

/** The first line of the answer to a handshake, whatever it is. */
async function answerTo(port: number, cookie: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const headers = ['Host: 127.0.0.1', 'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
  const key = 'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==';
  socket.write(['GET /chat HTTP/1.1', ...headers, key, `Cookie: ${cookie}`, '', ''].join('\r\n'));
  const [data] = await once(socket, 'data');
  socket.destroy();
  return String(data).split('\r\n', 1)[0] ?? '';
}

const keyOf = async (userId: string): Promise<string> => `key=${(await tokens.issue(userId)).key}`;
const [adaKey, bobKey] = [await keyOf('ada'), await keyOf('bob')];
const ada = new Client(portOf(server), adaKey);
assert.deepEqual(await ada.next(), { hello: 'ada' });
for (let beat = 0; beat < 4; beat += 1) {
  await clock.advance(30_000);
  ada.send({ command: 'fly' });
  assert.deepEqual(await ada.next(), { error: 'unknown_command' }, 'nobody who speaks is taken for a dead line');
}
const bob = new Client(portOf(server), bobKey);
assert.deepEqual(await bob.next(), { hello: 'bob' });

bob.send({ command: 'say', text: 'hi' });
for (const client of [ada, bob]) assert.deepEqual(await client.next(), { from: 'bob', text: 'hi' });

ada.send({ command: 'count' });
assert.deepEqual(await ada.next(), { count: 1 });
const tab = new Client(portOf(server), adaKey);
assert.deepEqual(await tab.next(), { hello: 'ada' });
tab.send({ command: 'count' });
assert.deepEqual(await tab.next(), { count: 2 }, 'tabs of a user share the session');
tab.send({ command: 'fly' });
assert.deepEqual(await tab.next(), { error: 'unknown_command' });

assert.match(await answerTo(portOf(server), 'key=unknown-unknown-unknown'), /^HTTP\/1\.1 401 /);
assert.match(JSON.stringify(await stateAt(portOf(server))), /"waiting".*1006|"stopped".*"log-in"/);
assert.match(await answerTo(portOf(server), adaKey), /^HTTP\/1\.1 101 /);
assert.equal(await (await fetch(`http://127.0.0.1:${portOf(server)}/`)).text(), 'the site');

const visitor = new Client(portOf(accepting), `sessionid=${sessions.create('ada')}`);
assert.deepEqual(await visitor.next(), { hello: 'ada' });
assert.equal(await new Client(portOf(accepting), 'sessionid=unknown').closed, 3000);

assert.equal(await chat.disconnectUser('bob'), 1);
assert.equal(await bob.closed, 3000);
tab.close();
await tab.closed;
await Promise.all([chat.close(), site.close()]);
assert.deepEqual([await ada.closed, await visitor.closed], [1012, 1012]);
assert.ok(left.includes('bob') && left.includes('ada'));
const port = portOf(server);
server.close();
accepting.close();
assert.match(JSON.stringify(await stateAt(port)), /"waiting".*1006/);
console.log('The chat works.');
