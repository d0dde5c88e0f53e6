import { EventEmitter } from 'node:events';
import { expect, it, vi } from 'vitest';
import { onDeparture } from '../../../src/identity/on-departure.js';

it('tells all who wait when a connection closes, and leaves no listener on one that lives on', () => {
  const socket = new EventEmitter();
  const request = { socket } as unknown as Parameters<typeof onDeparture>[0];
  const [stays, goes] = [vi.fn(), vi.fn()];
  const cancels = [onDeparture(request, stays), onDeparture(request, goes)];
  expect(socket.listenerCount('close')).toBe(1);
  for (const cancel of cancels) cancel();
  expect(socket.listenerCount('close')).toBe(0);
  onDeparture(request, stays);
  socket.emit('close');
  expect([stays.mock.calls.length, goes.mock.calls.length, socket.listenerCount('close')]).toEqual([1, 0, 0]);
});
