import { runInNewContext } from 'node:vm';
import { ChannelError, ClientError, CloseChannel, DenyConnection } from '../../entries/index.js';

/** What may be thrown, and how its channel ends: as a failure of the handler, unless it says something that can be sent. */
export interface HostileValue {
  make(): unknown;
  /** Status and close code where it is an ending. @default 500 and 1011 */
  readonly ends?: { readonly status: number; readonly closeCode: number };
}

function boom(): never {
  throw new Error('a getter threw');
}

function changed<T extends object>(error: T, name: string, descriptor: PropertyDescriptor): T {
  return Object.defineProperty(error, name, { configurable: true, ...descriptor });
}

/** A proxy all of whose traps throw. */
function bristling(target: object): object {
  return new Proxy(target, new Proxy({}, { get: () => boom }));
}

function revoked(target: object): unknown {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
}

class Banned extends DenyConnection {
  override readonly status: number = 200;
}

const denied = { status: 403, closeCode: 3003 };
const outOfRange: readonly unknown[] = [
  200,
  99,
  600,
  403.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  -1,
  '403',
  403n,
  Symbol('no'),
  null,
  {},
  boom,
];

const kinds: Record<string, HostileValue> = {
  undefined: { make: () => undefined },
  null: { make: () => null },
  'a string': { make: () => 'no' },
  'a symbol': { make: () => Symbol('no') },
  'a BigInt': { make: () => 1n },
  'a function': { make: () => boom },
  'an object without prototype': { make: () => Object.create(null) as unknown },
  'an error of another realm': { make: () => runInNewContext('new RangeError("no")') as unknown },
  'an error without prototype': { make: () => Object.setPrototypeOf(new Error('no'), null) as unknown },
  'an error of ten million characters': { make: () => new Error('x'.repeat(10_000_000)) },
  'a promise that rejects': { make: () => Promise.reject(new Error('no')) },
  'a revoked proxy': { make: () => revoked({}) },
  'a revoked proxy of a function': { make: () => revoked(boom) },
  'a revoked proxy of an error': { make: () => revoked(new DenyConnection()) },
  'a proxy whose traps throw': { make: () => bristling(new Error('no')) },
  'a proxy of a refusal whose traps throw': { make: () => bristling(new DenyConnection()) },
  'a ChannelError with a code that is none': { make: () => new ChannelError('ERR_NONE' as never, 'no') },
  'a ChannelError with a code of Object': { make: () => new ChannelError('constructor' as never, 'no') },
  'a ClientError that cannot be told': { make: () => new ClientError('no', { held: 1n }) },
  'a refusal that is right': { make: () => new DenyConnection({ status: 451, closeCode: 4451 }), ends: { status: 451, closeCode: 4451 } },
  'a refusal with a reason of ten million characters': { make: () => new DenyConnection({ reason: 'é'.repeat(10_000_000) }), ends: denied },
  'a refusal by a subclass whose status is 200': { make: () => new Banned() },
  'a bare prototype of refusals': { make: () => Object.create(DenyConnection.prototype) as unknown },
  'a bare prototype of closings': { make: () => Object.create(CloseChannel.prototype) as unknown },
  'a closing that is right': { make: () => new CloseChannel(4000, 'bye'), ends: { status: 403, closeCode: 4000 } },
};

for (const name of ['code', 'message', 'stack', 'cause', 'name', 'toString', 'constructor', 'then']) {
  kinds[`an error whose ${name} getter throws`] = { make: () => changed(new Error('no'), name, { get: boom }) };
}
for (const name of ['code', 'status', 'closeCode', 'reason']) {
  kinds[`a refusal whose ${name} getter throws`] = { make: () => changed(new DenyConnection(), name, { get: boom }) };
}

const outOfRangeEndings: Record<string, HostileValue> = {};
for (const value of outOfRange) {
  const shown = typeof value === 'object' ? JSON.stringify(value) : typeof value === 'function' ? 'a function' : String(value);
  outOfRangeEndings[`a refusal whose status became ${shown}`] = { make: () => changed(new DenyConnection(), 'status', { value }) };
  outOfRangeEndings[`a refusal whose close code became ${shown}`] = { make: () => changed(new DenyConnection(), 'closeCode', { value }) };
  outOfRangeEndings[`a closing whose code became ${shown}`] = { make: () => changed(new CloseChannel(), 'closeCode', { value }) };
}
for (const value of [1, 1n, Symbol('no'), null, {}, boom]) {
  const shown = value === null ? 'null' : typeof value;
  outOfRangeEndings[`a refusal whose reason became ${shown}`] = { make: () => changed(new DenyConnection(), 'reason', { value }) };
  outOfRangeEndings[`a closing whose reason became ${shown}`] = { make: () => changed(new CloseChannel(), 'reason', { value }) };
}

type Named = readonly (readonly [name: string, value: HostileValue])[];

/** Values that a handler may throw, by what they are. */
export const hostileKinds: Named = Object.entries(kinds);

/** The same, and refusals and closings that say what cannot be sent. */
export const hostileValues: Named = [...hostileKinds, ...Object.entries(outOfRangeEndings)];
