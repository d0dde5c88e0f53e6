import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { checkBroadcast } from '../../../src/feeds/check-broadcast.js';

it.each(['', 'text', new Uint8Array(), Buffer.from('text'), runInNewContext('new Uint8Array(2)') as Uint8Array])(
  'a message may be a string or bytes of whatever realm: %o',
  (data) => {
    expect(() => checkBroadcast('publish', 'lobby', data)).not.toThrow();
  },
);

it.each([undefined, null, 5, {}, [], new ArrayBuffer(2), new Uint16Array(2), new Date(0)])('a message must not be %o', (data) => {
  expect(() => checkBroadcast('publish', 'lobby', data)).toThrow(TypeError);
});

it.each([undefined, null, 5, '', {}])('the name of a group must not be %o', (group) => {
  expect(() => checkBroadcast('publish', group, 'text')).toThrow(TypeError);
});
