import { mock } from 'node:test';
import { describe, expect, it, vi } from 'vitest';
import {
  type BaseMessage,
  type Channel,
  defineWrapper,
  type ReceiveMessage,
  withAuthenticatedUser,
  withHttpUser,
  withUserFromToken,
} from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { eventually } from '../../support/eventually.js';
import { modes, serve } from '../../support/serving.js';
import { aliceKey, codesOf, makeSite } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';

/** Members that wrappers put on a message by writing them. */
const given = new Set(['user', 'httpSession', 'body', 'requestId']);

/** The names of all members of `subject`, its own and those of its classes. */
function namesOf(subject: object): string[] {
  const names = new Set(['__proto__']);
  for (let holder = subject; holder !== Object.prototype; holder = Object.getPrototypeOf(holder)) {
    for (const name of Object.getOwnPropertyNames(holder)) names.add(name);
  }
  return [...names];
}

/** Writes each member, as the keys of a client's JSON would, then takes each away. */
function mistreat(subject: object, value: unknown): void {
  for (const name of namesOf(subject)) {
    if (given.has(name)) continue;
    Reflect.set(subject, name, value);
    Reflect.deleteProperty(subject, name);
  }
}

const values: readonly [string, unknown][] = [
  ['a flag', true],
  ['nothing', undefined],
  ['an object', { __proto__: null }],
];

describe.each(modes)('a handler that writes and deletes all members (%s)', (mode) => {
  it.each(values)('of message, channel and list of channels, as %s, changes nothing of how channels live', async (_what, value) => {
    const { tokens, clock } = makeSite();
    const log: string[] = [];
    const mistreatAll = (message: BaseMessage): void => {
      for (const subject of [message.channel, message, channels.channels]) mistreat(subject, value);
    };
    const { port, channels } = await serve(
      {
        connect: withUserFromToken({ tokens })((message) => {
          mistreatAll(message);
          message.channel.send('hello');
        }),
        async receive(message) {
          const { text, channel } = message;
          mistreatAll(message);
          await Promise.resolve();
          mistreatAll(message);
          channel.send(text);
        },
        disconnect(message) {
          mistreatAll(message);
          log.push('disconnect');
        },
      },
      { mode, clock, heartbeatMs: 1_000, concurrency: 2 },
    );
    const count = (): number[] => [channels.channels.size, channels.channels.ofUser('alice').length];
    const options = { cookie: `key=${aliceKey}` };
    const clients = [await WsClient.connect(port, options), await WsClient.connect(port, options)] as const;
    for (const client of clients) for (const text of ['1', '2', '3']) client.send(text);
    for (const client of clients) expect(await client.take(4)).toEqual(['hello', '1', '2', '3']);
    expect(count()).toEqual([2, 2]);
    await clock.advance(1_000); // each has its place in the beat
    await clients[0].close();
    await eventually(() => expect(count()).toEqual([1, 1]));
    const closed = channels.close();
    await clients[1].closed();
    await closed;
    expect([log, ...count(), clock.pendingTimers]).toEqual([['disconnect', 'disconnect'], 0, 0, 0]);
  });
});

describe('a wrapper that adds what a client sent', () => {
  const withFields = defineWrapper('withFields', (message: ReceiveMessage, next) => next(message.json() as object));

  it('lets no message pass for one of another kind', async () => {
    const { sessions, users, options, errors } = makeSite();
    const id = sessions.create('alice');
    const handled = vi.fn();
    const channels = await connectTo(
      {
        connect: withHttpUser({ sessions, users })(() => {}),
        receive: withFields(withHttpUser({ sessions, users })(withAuthenticatedUser(handled))),
      },
      { ...options, cookies: { sessionid: id } },
    );
    sessions.destroy(id);
    await channels.send('{"kind":"disconnect"}');
    expect(handled).not.toHaveBeenCalled();
    expect(errors).toEqual([expect.any(TypeError)]);
  });

  it('keeps no other message waiting past its time', async () => {
    const { options, clock, errors } = makeSite();
    const receive = withFields(() => new Promise(() => {}));
    const client = await connectTo({ receive }, { ...options, handlerTimeoutMs: 1_000 });
    const handled = client.send('{"pendingSince":1e18,"isWaitedFor":true}');
    await clock.advance(1_000);
    expect(codesOf(errors)).toEqual(['ERR_HANDLER_TIMEOUT']);
    await handled;
  });
});

describe('a spy on a channel', () => {
  type NoteSent = (data: unknown) => boolean;

  it.each<[string, (channel: Channel, note: NoteSent) => () => void]>([
    [
      'vitest',
      (channel, note) => {
        const spy = vi.spyOn(channel, 'send').mockImplementation(note);
        return () => spy.mockRestore();
      },
    ],
    [
      'node:test',
      (channel, note) => {
        const spy = mock.method(channel, 'send', note);
        return () => spy.mock.restore();
      },
    ],
  ])('of %s sees what is sent, and is taken off again', async (_runner, spyOn) => {
    const seen: unknown[] = [];
    const client = await connectTo({ connect: () => {} });
    const takeOff = spyOn(client.channel, (data) => seen.push(data) > 0);
    client.channel.send('seen');
    takeOff();
    client.channel.send('sent');
    expect([seen, client.sent]).toEqual([['seen'], ['sent']]);
  });

  it('sees once what connect sends before the handshake is answered', async () => {
    const seen: unknown[] = [];
    const client = await connectTo({
      connect: ({ channel }) => {
        seen.push(vi.spyOn(channel, 'send').mock.calls);
        channel.send('hello');
      },
    });
    expect([seen, client.sent]).toEqual([[[['hello']]], ['hello']]);
  });
});
