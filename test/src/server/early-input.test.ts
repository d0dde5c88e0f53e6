import { Duplex } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { EarlyInput } from '../../../src/server/early-input.js';

/** A connection that waits for its answer, and what is told of it. */
function waiting({ head = Buffer.alloc(0), maxBytes = 100 } = {}) {
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const claim = { socket, isAnswered: false, hasPeerLeft: false };
  const told: string[] = [];
  const input = new EarlyInput(claim as never, head, maxBytes);
  const watch = (): void =>
    input.watch({
      gone: () => void told.push('gone'),
      overflowed: () => void told.push('overflowed'),
      taken: () => void told.push('taken'),
    });
  const arrives = async (text: string): Promise<void> => {
    socket.push(text);
    await nextTurn();
  };
  const listeners = (): number => ['data', 'end', 'finish', 'close'].reduce((sum, name) => sum + socket.listenerCount(name), 0);
  const own = listeners();
  return { socket, claim, told, input, watch, arrives, listeners: () => listeners() - own };
}

const texts = (chunks: readonly Buffer[]): readonly string[] => chunks.map(String);

describe('what arrives before an upgrade is answered', () => {
  it('is kept in the pieces in which it came, after the head, until it is asked for', async () => {
    const { watch, arrives, input, told, listeners } = waiting({ head: Buffer.from('h'), maxBytes: 100_000 });
    const pieces = ['1', '2'].map((digit) => digit.repeat(4_000));
    watch();
    for (const piece of pieces) await arrives(piece);
    expect(listeners()).toBe(4);
    expect(texts(input.release())).toEqual(['h', ...pieces]);
    expect([texts(input.release()), listeners(), told]).toEqual([[], 0, []]);
  });

  it('is kept in few pieces where a client sends each byte by itself', async () => {
    const { watch, arrives, input } = waiting({ head: Buffer.from('h'), maxBytes: 100_000 });
    watch();
    let sent = '';
    for (let count = 0; count < 5_000; count += 1) {
      const byte = String(count % 10);
      sent += byte;
      await arrives(byte);
    }
    expect(texts(input.release())).toEqual(['h', sent.slice(0, 4_096), sent.slice(4_096)]);
  });

  it('is nothing where nothing came', () => {
    const { watch, input } = waiting();
    watch();
    expect(input.release()).toEqual([]);
  });

  it.each([
    [49, 1, false],
    [49, 2, true],
    [0, 51, true],
    [51, 0, true],
  ])('is read on until half of what may wait is there (%i bytes at first, then %i)', async (first, then, isPaused) => {
    const { socket, watch, arrives } = waiting({ head: Buffer.alloc(first) });
    watch();
    if (then > 0) await arrives('x'.repeat(then));
    expect(socket.isPaused()).toBe(isPaused);
  });

  it.each([
    [100, []],
    [101, ['overflowed']],
  ])('may be all that may wait, and not a byte more (%i of 100)', async (bytes, expected) => {
    const { watch, arrives, told } = waiting();
    watch();
    await arrives('x'.repeat(bytes));
    expect(told).toEqual(expected);
  });

  it('may be too much in the head already', () => {
    const { watch, told } = waiting({ head: Buffer.alloc(101) });
    watch();
    expect(told).toEqual(['overflowed']);
  });

  it('is somebody else’s where they have answered: that is told once, and nobody listens any more', async () => {
    const { claim, watch, arrives, input, told, listeners } = waiting();
    watch();
    claim.isAnswered = true;
    await arrives('theirs');
    await arrives('theirs, too');
    expect([told, texts(input.release()), listeners()]).toEqual([['taken'], [], 0]);
  });
});

describe('what arrives too early for somebody else, who answers later', () => {
  const head = Buffer.from('h');
  const readers: Readonly<Record<string, (socket: Duplex) => () => string>> = {
    'by data': (socket) => {
      let seen = '';
      socket.on('data', (chunk) => {
        seen += String(chunk);
      });
      return () => seen;
    },
    'by readable': (socket) => {
      let seen = '';
      socket.on('readable', () => {
        for (let chunk: unknown = socket.read(); chunk !== null; chunk = socket.read()) seen += String(chunk);
      });
      return () => seen;
    },
  };

  it.each(Object.entries(readers))('is theirs when they begin to read %s, whether they put the head back or not', async (_how, read) => {
    for (const putsBack of [true, false]) {
      const { socket, claim, watch, arrives, told, listeners } = waiting({ head });
      const newListeners = socket.listenerCount('newListener');
      watch();
      for (const piece of ['one', 'two']) await arrives(piece);
      claim.isAnswered = true;
      if (putsBack) socket.unshift(head);
      const seen = read(socket);
      await arrives('three');
      expect([seen(), told]).toEqual([putsBack ? 'honetwothree' : 'onetwothree', ['taken']]);
      expect([listeners() <= 1, socket.listenerCount('newListener')]).toEqual([true, newListeners]);
    }
  });

  it.each(Object.entries(readers))('is not there twice where they have read %s all along', async (_how, read) => {
    const { socket, claim, watch, arrives } = waiting();
    const seen = read(socket);
    watch();
    await arrives('one');
    claim.isAnswered = true;
    await arrives('two');
    expect(seen()).toBe('onetwo');
  });

  it('is kept as long as they listen without an answer, or answer without listening to what arrives', async () => {
    const { socket, claim, watch, arrives, input, told } = waiting();
    watch();
    await arrives('one');
    socket.on('data', () => {});
    claim.isAnswered = true;
    socket.on('drain', () => {});
    expect([texts(input.release()), told]).toEqual([['one'], []]);
  });

  it('waits for them where they have answered and begin to read later still', async () => {
    const { socket, claim, watch, arrives } = waiting();
    watch();
    await arrives('one');
    claim.isAnswered = true;
    for (const piece of ['two', 'three']) await arrives(piece);
    const seen = readers['by data']?.(socket);
    await arrives('four');
    expect(seen?.()).toBe('onetwothreefour');
  });
});

describe('a connection whose upgrade waits', () => {
  it('and is ended by its client is gone, and closed', async () => {
    const { socket, watch, told, listeners } = waiting();
    watch();
    socket.push(null);
    await nextTurn();
    expect([told, socket.destroyed, listeners()]).toEqual([['gone'], true, 0]);
  });

  it('and is ended by its client after somebody else has answered is theirs, and stays', async () => {
    const { socket, claim, watch, told } = waiting();
    watch();
    claim.isAnswered = true;
    socket.push(null);
    await nextTurn();
    expect([told, socket.destroyed]).toEqual([['taken'], false]);
    socket.destroy();
  });

  it('and is ended on this side is somebody else’s', async () => {
    const { socket, watch, told } = waiting();
    watch();
    socket.end();
    await nextTurn();
    expect(told).toEqual(['taken']);
    socket.destroy();
  });

  it.each([
    [true, 'gone'],
    [false, 'taken'],
  ])('and is cut off is the client’s doing or somebody else’s (by the client: %s)', async (hasPeerLeft, expected) => {
    const { socket, claim, watch, told, listeners } = waiting();
    watch();
    claim.hasPeerLeft = hasPeerLeft;
    socket.destroy();
    await nextTurn();
    expect([told, listeners()]).toEqual([[expected], 0]);
  });
});

describe('a connection that is over before it is watched', () => {
  it('is gone where its client has ended it', async () => {
    const { socket, watch, told, listeners } = waiting();
    socket.push(null);
    socket.resume();
    await nextTurn();
    watch();
    expect([told, listeners()]).toEqual([['gone'], 0]);
  });

  it.each([
    [true, 'gone'],
    [false, 'taken'],
  ])('is cut off by its client or by somebody else (by the client: %s)', (hasPeerLeft, expected) => {
    const { socket, claim, watch, told, listeners } = waiting();
    claim.hasPeerLeft = hasPeerLeft;
    socket.destroy();
    watch();
    expect([told, listeners()]).toEqual([[expected], 0]);
  });

  it('is left to whoever has answered it', () => {
    const { claim, watch, told, listeners } = waiting();
    claim.isAnswered = true;
    watch();
    expect([told, listeners()]).toEqual([['taken'], 0]);
  });
});
