import { fileURLToPath } from 'node:url';
import { inspect } from 'node:util';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';
import { ChannelError, ClientError, CloseChannel, DenyConnection, type DenyOptions } from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';
import { expectProcessToLive, makeSite, thrownBy } from '../support/site.js';

expectProcessToLive();

describe('ChannelError', () => {
  it('has a code, a message, a cause and a name', () => {
    const cause = new Error('down');
    const error = new ChannelError('ERR_LOOKUP_FAILED', 'cannot tell', { cause });
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ code: 'ERR_LOOKUP_FAILED', message: 'cannot tell', name: 'ChannelError', cause });
    expect(inspect(error)).toContain('ERR_LOOKUP_FAILED');
  });

  it('is what DenyConnection and CloseChannel are, and ClientError is not', () => {
    expect(new DenyConnection()).toBeInstanceOf(ChannelError);
    expect(new CloseChannel()).toBeInstanceOf(ChannelError);
    expect(new ClientError('room_full')).not.toBeInstanceOf(ChannelError);
    expect([new DenyConnection().name, new CloseChannel().name, new ClientError('x').name]).toEqual([
      'DenyConnection',
      'CloseChannel',
      'ClientError',
    ]);
  });

  it('has that name also where a bundler has shortened those of all classes', async () => {
    const source = fileURLToPath(new URL('../../src/errors.ts', import.meta.url));
    const { outputFiles } = await build({
      entryPoints: [source],
      bundle: true,
      minify: true,
      format: 'esm',
      platform: 'node',
      write: false,
    });
    const bundled = `data:text/javascript;base64,${Buffer.from(outputFiles[0]?.contents ?? '').toString('base64')}`;
    const copy = (await import(bundled)) as typeof import('../../src/errors.js');
    const errors = [
      new copy.ChannelError('ERR_LOOKUP_FAILED', 'x'),
      new copy.DenyConnection(),
      new copy.CloseChannel(),
      new copy.RateLimitError('x', 1),
    ];
    expect(errors.map(({ name }) => name)).toEqual(['ChannelError', 'DenyConnection', 'CloseChannel', 'RateLimitError']);
  });
});

describe('DenyConnection', () => {
  it.each<DenyOptions>([
    { status: 399 },
    { status: 600 },
    { status: 403.5 },
    { status: '403' as never },
    { status: 101 },
    { closeCode: 1005 },
    { closeCode: 1006 },
    { closeCode: 2999 },
    { closeCode: 5000 },
    { closeCode: '3003' as never },
    { code: 4001 } as never,
  ])('of %j is a TypeError that names the option', (options) => {
    const error = thrownBy(() => new DenyConnection(options));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain(Object.keys(options)[0]);
  });

  it('ends connect with its status, and is no error of the application', async () => {
    const { options, errors } = makeSite();
    const connect = async (): Promise<void> => {
      throw new DenyConnection({ status: 402 });
    };
    expect((await connectTo({ connect }, options)).refusal).toEqual({ status: 402 });
    expect(errors).toEqual([]);
  });

  it('ends a channel with its close code and reason, or with those of the table', async () => {
    const { options } = makeSite();
    for (const [deny, closed] of [
      [{}, { code: 3003, reason: 'denied' }],
      [
        { closeCode: 4001, reason: 'full' },
        { code: 4001, reason: 'full' },
      ],
    ] as const) {
      const receive = (): void => {
        throw new DenyConnection(deny);
      };
      const client = await connectTo({ receive }, options);
      await client.send('x');
      expect(client.closed).toEqual(closed);
    }
  });

  it('cuts its reason at 123 bytes, never inside a character', async () => {
    const receive = (): void => {
      throw new DenyConnection({ reason: `${'a'.repeat(121)}€€` });
    };
    const client = await connectTo({ receive }, makeSite().options);
    await client.send('x');
    expect(client.closed?.reason).toBe('a'.repeat(121));
  });
});

describe('CloseChannel', () => {
  it.each([0, 999, 1004, 1005, 1006, 1015, 2000, 5000, 3000.5, '1000' as unknown as number])('of %j is a TypeError', (code) => {
    expect(thrownBy(() => new CloseChannel(code))).toBeInstanceOf(TypeError);
  });

  it('closes with its code, 1000 by itself, and is no error; in connect it is a refusal with 403', async () => {
    const { options, errors } = makeSite();
    for (const [thrown, closed] of [
      [new CloseChannel(), { code: 1000, reason: '' }],
      [new CloseChannel(4000, 'bye'), { code: 4000, reason: 'bye' }],
    ] as const) {
      const handler = (): void => {
        throw thrown;
      };
      const client = await connectTo({ receive: handler }, options);
      await client.send('x');
      expect(client.closed).toEqual(closed);
      expect((await connectTo({ connect: handler }, options)).refusal).toEqual({ status: 403 });
    }
    expect(errors).toEqual([]);
  });
});

describe('ClientError', () => {
  it.each([
    [undefined, {}, 'code'],
    ['', {}, 'code'],
    [4001, {}, 'code'],
    ['room_full', null, 'details'],
    ['room_full', 'of people', 'details'],
    ['room_full', ['of people'], 'details'],
  ])('of %j and %j is a TypeError that names what is wrong', (code, details, named) => {
    const error = thrownBy(() => new ClientError(code as never, details as never));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(new RegExp(`^ClientError: ${named} must be `));
  });

  it('copies its details', () => {
    const details = { room: 'hall' };
    const error = new ClientError('room_full', details);
    details.room = 'attic';
    expect(error).toMatchObject({ code: 'room_full', details: { room: 'hall' } });
    expect(new ClientError('x').details).toEqual({});
  });

  it('that nobody sends to the client is an error like any other', async () => {
    const { options, errors } = makeSite();
    const receive = (): void => {
      throw new ClientError('room_full');
    };
    const client = await connectTo({ receive }, options);
    await client.send('x');
    expect(client.closed?.code).toBe(1011);
    expect(client.sent).toEqual([]);
    expect(errors).toEqual([expect.any(ClientError)]);
    expect((errors[0] as Error).message).toMatch(/^room_full: the client is told only under withClientErrors, /);
  });
});
