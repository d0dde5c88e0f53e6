import type { Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { type Channel, Groups } from '../../../entries/index.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { frame, RawClient } from '../../support/raw-client.js';
import { modes, nextTurn, serve } from '../../support/serving.js';
import { WsClient } from '../../support/ws-client.js';

/**
 * Serves channels that are all in one group, and runs `receive` with what their sockets have handed to the system since the last read of
 * it.
 */
async function room(
  receive: (text: string, channel: Channel, groups: Groups, written: () => number) => void | Promise<void>,
  mode: (typeof modes)[number],
) {
  const groups = new Groups();
  const raws: Socket[] = [];
  let before = 0;
  const all = (): number => raws.reduce((sum, raw) => sum + raw.bytesWritten - raw.writableLength, 0);
  const written = (): number => {
    const sum = all() - before;
    before += sum;
    return sum;
  };
  const { port } = await serve(
    {
      connect: ({ channel, request }) => {
        raws.push(request.socket);
        groups.add('room', channel);
      },
      receive: ({ text, channel }) => receive(text, channel, groups, written),
    },
    { mode },
  );
  return port;
}

/** Sends one message and awaits its answer, then three in one write, and awaits theirs. */
async function exchangeOneThenThree(port: number): Promise<void> {
  const client = await RawClient.connect(port);
  client.write(frame('first'));
  await client.nextFrame();
  client.write(Buffer.concat(['a', 'b', 'c'].map((text) => frame(text))));
  for (let index = 0; index < 3; index += 1) await client.nextFrame();
}

/** Sends one message and awaits its answer, then another; gives the client, which awaits what that brings. */
async function sendFirstThenLater(port: number): Promise<WsClient> {
  const client = await WsClient.connect(port);
  client.send('first');
  await client.next();
  client.send('later');
  return client;
}

/** Longer than a handler takes to be done that has returned. */
async function severalPromises(): Promise<void> {
  for (let index = 0; index < 10; index += 1) await Promise.resolve();
}

/** The bytes of `text` as ws gives them where a read of the socket had its frame alone: behind the header and its mask. */
function readAlone(text: string): Buffer {
  const read = Buffer.from(new ArrayBuffer(6 + text.length));
  read.write(text, 6);
  return read.subarray(6);
}

/** A frame of the server has so many bytes more than its text. */
const header = 2;

describe.each(modes)('what is sent while a message is handled (%s)', (mode) => {
  it('leaves when its handler has returned, where the message came alone', async () => {
    const seen: number[] = [];
    const port = await room((text, channel, _groups, written) => {
      written();
      process.nextTick(() => seen.push(written()));
      channel.send(text);
      channel.send(text);
      seen.push(written());
    }, mode);
    const client = await WsClient.connect(port);
    for (const text of ['first', 'abc', 'a'.repeat(200), 'defgh']) {
      client.send(text);
      await client.take(2);
    }
    expect(seen.slice(2)).toEqual([0, 2 * (3 + header), 0, 2 * (200 + header + 2), 0, 2 * (5 + header)]);
  });

  it('leaves with what the next messages bring about, where several came in one read', async () => {
    const seen: number[] = [];
    const port = await room((text, channel, _groups, written) => {
      if (text === 'first') channel.send(text);
      else {
        if (text === 'a') written();
        channel.send(text);
        process.nextTick(() => seen.push(written()));
        seen.push(written());
      }
    }, mode);
    await exchangeOneThenThree(port);
    expect(seen.slice(0, 4)).toEqual([0, 0, 0, 3 * (1 + header)]);
  });

  it('leaves with what follows where the next message waits for no more than what is settled', async () => {
    const seen: number[] = [];
    const port = await room(async (text, channel, _groups, written) => {
      if (text === 'a') written();
      channel.send(text);
      await Promise.resolve();
      if (text !== 'first') seen.push(written());
      if (text === 'c') process.nextTick(() => process.nextTick(() => seen.push(written())));
    }, mode);
    await exchangeOneThenThree(port);
    expect(seen).toEqual([0, 0, 0, 3 * (1 + header)]);
  });

  it('leaves when an asynchronous handler is done, without a tick', async () => {
    const seen: number[] = [];
    const port = await room(async (text, channel, _groups, written) => {
      await Promise.resolve();
      if (text === 'first') channel.send(text);
      else {
        written();
        channel.send(text);
        channel.send(text);
        seen.push(written());
        process.nextTick(() => seen.push(written()));
        void severalPromises().then(() => seen.push(written()));
      }
    }, mode);
    const client = await sendFirstThenLater(port);
    await client.take(2);
    expect(seen).toEqual([0, 2 * (5 + header), 0]);
  });

  it('leaves at the end of the turn where an asynchronous handler goes on after it', async () => {
    const seen: number[] = [];
    const done = deferred();
    const port = await room(async (text, channel, _groups, written) => {
      await Promise.resolve();
      if (text === 'later') {
        written();
        void severalPromises().then(() => seen.push(written()));
        setImmediate(() => seen.push(written()));
      }
      channel.send(text);
      if (text === 'later') await done.promise;
    }, mode);
    const client = await sendFirstThenLater(port);
    expect(await client.next()).toBe('later');
    expect(seen).toEqual([0, 5 + header]);
    done.resolve();
  });

  it('waits where several get it after an await: other handlers that wait for the same may send to them too', async () => {
    const seen: number[] = [];
    let begun = 0;
    const found = deferred();
    const port = await room(async (text, _channel, groups, written) => {
      begun += 1;
      await found.promise;
      if (text === 'later') await severalPromises();
      seen.push(written());
      groups.send('room', text);
    }, mode);
    const clients = [await WsClient.connect(port), await WsClient.connect(port)];
    clients[0]?.send('sooner');
    clients[1]?.send('later');
    await eventually(() => expect(begun).toBe(2));
    found.resolve();
    for (const client of clients) expect(await client.take(2)).toEqual(['sooner', 'later']);
    expect(seen.slice(1)).toEqual([0]);
  });

  it('leaves at once where all members of a group get it, and with what follows from there on, in order', async () => {
    const seen: number[] = [];
    const port = await room((text, channel, groups, written) => {
      if (text === 'first') groups.send('room', text);
      else {
        written();
        groups.send('room', 'one');
        seen.push(written());
        groups.send('room', 'two');
        channel.send('three');
        groups.send('room', 'four');
        seen.push(written());
        process.nextTick(() => seen.push(written()));
      }
    }, mode);
    const clients = [await WsClient.connect(port), await WsClient.connect(port), await WsClient.connect(port)];
    clients[0]?.send('first');
    await Promise.all(clients.map((client) => client.next()));
    clients[0]?.send('use');
    expect(await clients[0]?.take(4)).toEqual(['one', 'two', 'three', 'four']);
    for (const other of clients.slice(1)) expect(await other.take(3)).toEqual(['one', 'two', 'four']);
    expect(seen).toEqual([3 * (3 + header), 0, 3 * (3 + 4 + 2 * header) + 5 + header]);
  });

  it('leaves in two writes to each member of a large group where all of them speak in the same turn, in order', async () => {
    const groups = new Groups();
    const joined: { readonly channel: Channel; readonly raw: Socket }[] = [];
    const { port } = await serve(
      {
        connect: ({ channel, request }) => {
          joined.push({ channel, raw: request.socket });
          groups.add('room', channel);
        },
        receive: ({ text }) => void groups.send('room', text),
      },
      { mode },
    );
    const clients = await Promise.all(Array.from({ length: 40 }, () => WsClient.connect(port)));
    const texts = clients.map((_client, index) => String(index + 10));
    const everybodySpeaks = async (): Promise<void> => {
      for (const [index, { channel }] of joined.entries()) channel.socket?.emit('message', readAlone(String(index + 10)), false);
      for (const client of clients) expect(await client.take(40)).toEqual(texts);
    };
    await everybodySpeaks(); // the first frames of a channel go through ws
    const writes = joined.map(({ raw }) => vi.spyOn(raw, 'write'));
    for (let round = 1; round <= 3; round += 1) {
      await nextTurn(); // so that nobody has spoken to them in this one
      await nextTurn();
      await everybodySpeaks();
      expect(writes.map(({ mock }) => mock.calls.length)).toEqual(joined.map(() => 2 * round));
    }
  });

  it('leaves at the end of the tick where the handler sends it after waiting', async () => {
    const seen: number[] = [];
    const port = await room((text, channel, _groups, written) => {
      if (text === 'first') channel.send(text);
      else
        void Promise.resolve().then(() => {
          written();
          channel.send(text);
          seen.push(written());
          process.nextTick(() => seen.push(written()));
        });
    }, mode);
    const client = await sendFirstThenLater(port);
    expect(await client.next()).toBe('later');
    expect(seen).toEqual([0, 5 + header]);
  });
});
