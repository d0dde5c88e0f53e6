import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { RequestError } from '../../entries/client.js';
import { expectProcessToLive } from '../support/site.js';
import { uncaughtIn } from '../support/uncaught.js';
import { makeClient } from './fake-socket.js';

expectProcessToLive();

describe('send', () => {
  it('says whether a message went out, and keeps none', async () => {
    const { client, opened, clock, sockets } = makeClient();
    await clock.advance(0);
    expect(client.send('too early')).toBe(false);
    const socket = await opened();
    expect([client.send('text'), client.sendJson({ a: 1 }), client.send(new Uint8Array([1]))]).toEqual([true, true, true]);
    expect(socket.sent).toEqual(['text', '{"a":1}', new Uint8Array([1])]);
    socket.readyState = 2;
    expect(client.send('too late')).toBe(false);
    socket.end();
    expect(client.sendJson('gone')).toBe(false);
    await opened();
    expect(sockets[1]?.sent).toEqual([]);
  });
});

describe('sendJson', () => {
  it.each([undefined, () => 1, Symbol('x'), 1n])('throws a TypeError for %o, which JSON cannot hold, and sends nothing', async (value) => {
    const { client, opened } = makeClient();
    expect(() => client.sendJson(value)).toThrow(TypeError);
    const socket = await opened();
    expect(() => client.sendJson(value)).toThrow(TypeError);
    expect(socket.sent).toEqual([]);
  });
});

describe('onMessage', () => {
  it('is told text and binary messages, and no answers', async () => {
    const heard: unknown[] = [];
    const { client, opened } = makeClient({ onMessage: (data) => heard.push(data) });
    const socket = await opened();
    expect(socket.binaryType).toBe('arraybuffer');
    const asked = client.request({ a: 1 });
    const [{ requestId } = {}] = socket.messages;
    const bytes = new Uint8Array([1, 2]).buffer;
    for (const data of ['text', bytes, '{"requestId":"of another client"}', `"requestId" ${String(requestId)}`, 'null', '{'])
      socket.receive(data);
    socket.receive({ requestId, result: 1 });
    socket.receive({ requestId, result: 'again' });
    await asked;
    expect(heard).toEqual(['text', bytes, '{"requestId":"of another client"}', `"requestId" ${String(requestId)}`, 'null', '{']);
  });

  it('that throws harms nobody, and is told as any uncaught error', async () => {
    const mistake = new Error('of the application');
    const { client, opened, clock } = makeClient({
      onMessage: () => {
        throw mistake;
      },
    });
    const socket = await opened();
    const uncaught = await uncaughtIn(async () => {
      expect(() => socket.receive('x')).not.toThrow();
      await clock.advance(0);
    });
    expect([uncaught, client.state.name]).toEqual([[mistake], 'open']);
  });
});

describe('request', () => {
  it('resolves to the result of the answer with its number', async () => {
    const { client, opened } = makeClient();
    const socket = await opened();
    const asked = Promise.all([client.request({ command: 'a' }), client.request<{ n: number }>({ command: 'b' }), client.request({})]);
    const [a, b, c] = socket.messages.map(({ requestId }) => requestId);
    expect(new Set([a, b, c]).size).toBe(3);
    expect(socket.messages[0]).toEqual({ command: 'a', requestId: a });
    socket.receive({ requestId: b, result: { n: 2 } });
    socket.receive({ requestId: a, result: 'first' });
    socket.receive({ requestId: c });
    expect(await asked).toEqual(['first', { n: 2 }, undefined]);
  });

  it('rejects with what the handler answered', async () => {
    const { client, opened } = makeClient();
    const socket = await opened();
    const asked = client.request({}).catch((error: unknown) => error);
    socket.receive({ requestId: socket.messages[0]?.['requestId'], error: 'too_long', max: 10 });
    const error = await asked;
    expect(error).toBeInstanceOf(RequestError);
    expect(error).toMatchObject({ name: 'RequestError', code: 'too_long', details: { error: 'too_long', max: 10 } });
  });

  it('is sent again under its number on each new connection until it is answered, in order', async () => {
    const { client, opened, clock, sockets } = makeClient();
    const early = client.request({ n: 1 });
    const first = await opened();
    const later = client.request({ n: 2 });
    first.end();
    await clock.advance(0);
    const second = await opened();
    expect(second.messages).toEqual(first.messages);
    second.receive({ requestId: second.messages[0]?.['requestId'], result: 'one' });
    expect(await early).toBe('one');
    second.end();
    await clock.advance(2_000);
    const third = await opened();
    expect(sockets).toHaveLength(3);
    expect(third.messages).toEqual([first.messages[1]]);
    third.receive({ requestId: third.messages[0]?.['requestId'], result: 'two' });
    expect(await later).toBe('two');
  });

  it('rejects when no answer comes in time, new connections included, and is sent no more', async () => {
    const { client, opened, clock } = makeClient();
    const asked = client.request({}, { timeoutMs: 5_000 }).catch((error: unknown) => error);
    const socket = await opened();
    await clock.advance(4_000);
    socket.end();
    await clock.advance(1_000);
    expect(await asked).toMatchObject({ name: 'TimeoutError' });
    expect((await opened()).messages).toEqual([]);
  });

  it('rejects with the reason of its signal', async () => {
    const { client, opened } = makeClient();
    const controller = new AbortController();
    const asked = client.request({}, { signal: controller.signal }).catch((error: unknown) => error);
    const socket = await opened();
    const reason = new Error('left the page');
    controller.abort(reason);
    expect(await asked).toBe(reason);
    socket.receive({ requestId: socket.messages[0]?.['requestId'], result: 'late' });
    await expect(client.request({}, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(socket.messages).toHaveLength(1);
  });

  it('rejects where the client has stopped, or stops', async () => {
    const { client, opened, clock } = makeClient();
    const asked = client.request({}).catch((error: unknown) => error);
    (await opened()).end(3003, 'denied');
    expect(await asked).toMatchObject({ name: 'AbortError' });
    await expect(client.request({})).rejects.toMatchObject({ name: 'AbortError' });
    expect(clock.pendingTimers).toBe(0);
  });

  it('makes Node warn of no leak, however many wait, and rejects all of them when the client stops', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    onTestFinished(() => warn.mockRestore());
    const { client, opened, clock } = makeClient();
    await opened();
    const asked = Promise.allSettled(Array.from({ length: 20 }, () => client.request({})));
    await clock.advance(0);
    expect(warn).not.toHaveBeenCalled();
    client.close();
    for (const answer of await asked) expect(answer).toMatchObject({ status: 'rejected', reason: { name: 'AbortError' } });
  });

  it.each([-1, Number.NaN, 2 ** 31, '5'])('rejects a timeoutMs of %s with a TypeError', async (timeoutMs) => {
    const { client } = makeClient();
    await expect(client.request({}, { timeoutMs: timeoutMs as number })).rejects.toThrow(TypeError);
  });

  it.each([undefined, null, 'text', 7, [1], () => 1, new Date(0)])('rejects %o, which is no object to JSON', async (data) => {
    const { client, opened } = makeClient();
    const socket = await opened();
    await expect(client.request(data as object)).rejects.toThrow(TypeError);
    expect(socket.sent).toEqual([]);
  });

  it('sends what an object says that JSON is to hold, under its own number', async () => {
    const { client, opened } = makeClient();
    const socket = await opened();
    client.request({ requestId: 'mine', toJSON: () => ({ command: 'a', requestId: 'mine' }) }).catch(() => undefined);
    expect(socket.messages).toEqual([{ command: 'a', requestId: expect.stringMatching(/-1$/) as string }]);
  });

  it('rejects what JSON cannot hold', async () => {
    const { client, clock } = makeClient();
    await expect(client.request({ a: 1n })).rejects.toThrow(TypeError);
    client.close();
    await clock.advance(2_000);
    expect(clock.pendingTimers).toBe(0);
  });

  it('has numbers that two clients do not share', async () => {
    const numbers = await Promise.all(
      [makeClient(), makeClient()].map(async ({ client, opened }) => {
        client.request({}).catch(() => undefined);
        return (await opened()).messages[0]?.['requestId'];
      }),
    );
    expect(new Set(numbers).size).toBe(2);
    for (const number of numbers) expect(number).toMatch(/^[\x21-\x7e]{1,128}$/);
  });
});
