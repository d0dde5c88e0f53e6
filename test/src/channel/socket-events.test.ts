import { EventEmitter } from 'node:events';
import { Writable } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { attachToSocket, isAttached } from '../../../src/channel/socket-events.js';
import { eventually } from '../../support/eventually.js';

/** A socket whose events a test makes, and what its channel hears of them. */
function attached(receiver?: Writable) {
  const [socket, raw] = [Object.assign(new EventEmitter(), { terminate: vi.fn(), _receiver: receiver }), new EventEmitter()];
  const heard: string[] = [];
  attachToSocket(socket as never, raw as never, {
    received: (data, isBinary) => void heard.push(`${isBinary ? 'bytes' : 'text'} ${String(data)}`),
    leaving: () => void heard.push('leaving'),
    closed: (code, reason) => void heard.push(`closed ${code} ${reason}`),
  });
  return { socket, raw, heard };
}

describe('what happens on a socket', () => {
  it('is heard at once, in whatever form its bytes come', () => {
    const { socket, raw, heard } = attached();
    expect([isAttached(socket as never), isAttached(new EventEmitter() as never)]).toEqual([true, false]);
    socket.emit('message', Buffer.from('one'), false);
    socket.emit('message', [Buffer.from('t'), Buffer.from('wo')], true);
    socket.emit('message', new TextEncoder().encode('three').buffer, true);
    socket.emit('error', new Error('a bad frame'));
    raw.emit('finish');
    socket.emit('close', 1000, Buffer.from('bye'));
    expect(heard).toEqual(['text one', 'bytes two', 'bytes three', 'leaving', 'closed 1000 bye']);
  });

  it('keeps its order behind bytes that must be waited for, the end included', async () => {
    const { socket, raw, heard } = attached();
    socket.emit('message', new Blob(['one']), true);
    socket.emit('message', Buffer.from('two'), false);
    socket.emit('message', new Blob(['three']), true);
    raw.emit('finish');
    socket.emit('close', 1001, Buffer.from('away'));
    expect(heard).toEqual([]);
    await eventually(() => expect(heard).toHaveLength(5));
    expect(heard).toEqual(['bytes one', 'text two', 'bytes three', 'leaving', 'closed 1001 away']);
    socket.emit('message', Buffer.from('at once'), false);
    expect(heard.slice(5)).toEqual(['text at once']);
    expect(socket.terminate).not.toHaveBeenCalled();
  });

  it('is no end of it before all that came is read', async () => {
    const reads: (() => void)[] = [];
    const receiver = new Writable({ write: (_chunk, _encoding, done) => void reads.push(done) });
    const { raw, heard } = attached(receiver);
    receiver.end('what is inflated');
    raw.emit('finish');
    expect([reads.length, heard]).toEqual([1, []]);
    for (const done of reads) done();
    await eventually(() => expect(heard).toEqual(['leaving']));
  });

  it('an error of ws whose code is a number, as that of a Blob that cannot be sent is, harms nobody', () => {
    const { socket, heard } = attached();
    socket.emit('error', new DOMException('The blob could not be read', 'NotReadableError'));
    socket.emit('close', 1006, Buffer.alloc(0));
    expect(heard).toEqual(['closed 1006 ']);
  });

  it('ends the connection where bytes cannot be read', async () => {
    const { socket, heard } = attached();
    const unreadable = new Blob(['lost']);
    unreadable.arrayBuffer = () => Promise.reject(new Error('gone'));
    socket.emit('message', unreadable, true);
    await eventually(() => expect(socket.terminate).toHaveBeenCalledTimes(1));
    socket.emit('close', 1006, Buffer.alloc(0));
    await eventually(() => expect(heard).toEqual(['closed 1006 ']));
  });
});
