import { checkedOptions } from '../checked-options.js';
import { ChannelError } from '../errors.js';
import type { UserSource } from '../identity/user-source.js';
import { isThenable, promiseOf } from '../maybe-promise.js';
import { checkCopy } from '../package-copy.js';
import { anonymousUser } from '../users.js';
import { configurable } from '../wrapping/call-shapes.js';
import { type AnyHandler, madeHandler, nameAround } from '../wrapping/made-function.js';
import { checkMayBegin } from '../wrapping/passed-marks.js';
import { requirementsOf } from '../wrapping/requirements.js';
import type { NoOptions } from '../wrapping/wrapper.js';
import { ChannelMessage } from './channel-message.js';
import { ChannelConnectMessage, type Connecting, ownConnect } from './connecting.js';
import { hasOwnUser, meetOwnUser } from './own-user.js';
import type { KnownRequirement } from './requirement-kinds.js';

/** The parts of a wrapper of this package. Each is told the wrapper's name for its errors, so that the name is written once. */
export interface BuiltInParts<Given extends object, Options> {
  /** Checks and copies the options when the wrapper is made. Left out, the wrapper takes none. */
  prepare?(given: Given | undefined, name: string): Options;
  /** What the wrapper needs of the server. */
  requires?(options: Options, name: string): readonly KnownRequirement[];
  /** Adds to the message, or throws. Returns a promise only where it must wait. */
  before?(message: ChannelMessage, options: Options, name: string): void | PromiseLike<void>;
  /** Adds what `before` has waited for. */
  afterWaiting?(message: ChannelMessage): void;
  /** What is returned in place of the handler's result, once that is there. */
  after?(result: unknown, message: ChannelMessage, options: Options): unknown;
  /** Deals with what `before` or the handler threw, or throws it again; the result is then `undefined`. */
  failed?(error: unknown, message: ChannelMessage): undefined;
}

/** @throws {TypeError} when there are options. */
export function checkNoOptions(given: object | undefined, name: string): undefined {
  checkedOptions(name, given, {});
  return undefined;
}

/**
 * Makes a wrapper of this package: the counterpart of `defineWrapper`, which is for everybody else. It costs a message neither a closure
 * nor a mark, tells the server what the wrapper needs, and hands the runtime's own message to its parts. `Shape` is the type that the
 * wrapper is declared with.
 */
export function defineBuiltIn<Shape, Given extends object = NoOptions, Options = undefined>(
  name: string,
  parts: BuiltInParts<Given, Options>,
): Shape {
  const prepare = (given: object | undefined): unknown =>
    parts.prepare === undefined ? checkNoOptions(given, name) : parts.prepare(given as Given | undefined, name);
  const make = (prepared: unknown): ((handler: AnyHandler) => AnyHandler) => {
    const options = prepared as Options;
    const requirements = parts.requires?.(options, name) ?? [];
    return (handler) => {
      const wrapped = guarded(name, parts, running(name, parts, options, finishing(name, parts, options, handler)));
      return madeHandler(nameAround(name, handler), wrapped, requirements, requirementsOf(handler));
    };
  };
  return configurable(name, prepare, make) as Shape;
}

function running<Given extends object, Options>(
  name: string,
  parts: BuiltInParts<Given, Options>,
  options: Options,
  handler: AnyHandler,
): AnyHandler {
  return function (this: unknown, message: object, ...rest: unknown[]): unknown {
    const known = channelMessage(name, message);
    const pending = parts.before?.(known, options, name);
    if (pending !== undefined) return callAfter(pending, parts, handler, this, known, rest);
    return rest.length === 0 ? handler.call(this, message) : handler.call(this, message, ...rest);
  };
}

/** Apart from its caller, which would make what the closure needs for every message. */
function callAfter(
  pending: PromiseLike<void>,
  { afterWaiting }: Pick<BuiltInParts<never, never>, 'afterWaiting'>,
  handler: AnyHandler,
  self: unknown,
  message: ChannelMessage,
  rest: readonly unknown[],
): unknown {
  return pending.then(() => {
    afterWaiting?.(message);
    message[checkMayBegin]();
    return handler.call(self, message, ...rest);
  });
}

/** `handler` with what the wrapper makes of its result. */
function finishing<Given extends object, Options>(
  name: string,
  parts: BuiltInParts<Given, Options>,
  options: Options,
  handler: AnyHandler,
): AnyHandler {
  const { after } = parts;
  if (after === undefined) return handler;
  return function (this: unknown, message: object, ...rest: unknown[]): unknown {
    const known = channelMessage(name, message);
    const result = handler.call(this, message, ...rest);
    return isThenable(result) ? promiseOf(result).then((settled) => after(settled, known, options)) : after(result, known, options);
  };
}

function guarded<Given extends object, Options>(name: string, parts: BuiltInParts<Given, Options>, run: AnyHandler): AnyHandler {
  const { failed } = parts;
  if (failed === undefined) return run;
  return function (this: unknown, message: object, ...rest: unknown[]): unknown {
    const known = channelMessage(name, message);
    try {
      const result = run.call(this, message, ...rest);
      return isThenable(result) ? guardedResult(result, failed, known) : result;
    } catch (error) {
      return failed(error, known);
    }
  };
}

function guardedResult(
  result: PromiseLike<unknown>,
  failed: (error: unknown, message: ChannelMessage) => undefined,
  message: ChannelMessage,
): Promise<unknown> {
  return promiseOf(result).then(undefined, (error: unknown) => failed(error, message));
}

/**
 * The runtime's own message behind what a wrapper was called with.
 *
 * @throws {TypeError} when it is none, or one of another copy of this package: wrapped handlers are run by a `ChannelServer`, or by
 * `connectTo` in tests.
 */
export function channelMessage(wrapper: string, message: unknown): ChannelMessage {
  if (message instanceof ChannelMessage) return message;
  checkCopy(`${wrapper}: the message`, message);
  throw new TypeError(
    `${wrapper}: the handler was called without a message of a ChannelServer; in tests, drive it with connectTo of ws-with/testing`,
  );
}

/** Puts the channel session on `message`; a promise only where it must be loaded first. */
export function giveSession(message: ChannelMessage): Promise<void> | undefined {
  if (message.hasSession) return undefined;
  const { channel } = message;
  const connecting = connectingOf(message);
  const pending = connecting === undefined ? channel.session.open(channel.identity) : connecting.prepare(undefined, true);
  if (pending !== undefined) return afterwards(pending, putSession, message);
  putSession(message);
  return undefined;
}

function afterwards(pending: Promise<void>, put: (message: ChannelMessage) => void, message: ChannelMessage): Promise<void> {
  return pending.then(() => put(message));
}

function putSession(message: ChannelMessage): void {
  if (message.hasUser) meetOwnUser(message);
  message.putSession();
}

/** The connect that `message` belongs to, until it is over. */
export function connectingOf(message: ChannelMessage): Connecting | undefined {
  return message instanceof ChannelConnectMessage ? message[ownConnect] : undefined;
}

/** Where a user is looked for. */
export interface UserRequest {
  readonly sources: readonly UserSource[];
  /** Gives the HTTP session too, where a source reads one. */
  readonly http: { give(message: ChannelMessage): Promise<void> } | undefined;
}

/**
 * Puts session and user on `message`: at connect from the sources of `asked` (those of the server's plan, where it saw this wrapper), later
 * what the channel knows. Without `asked` it is what the channel knows at any time. Where that must be waited for, it is {@link putUser}
 * that puts it on the message then.
 *
 * @throws {ChannelError} `ERR_WRAPPER_MISSING` where the credentials are gone before anybody looked at them.
 */
export function giveUser(message: ChannelMessage, asked: UserRequest | undefined, wrapper: string): Promise<void> | undefined {
  const { runtime } = message.channel;
  if (asked === undefined && (runtime.opensSessions || message.channel.session.isOpen) && connectingOf(message) === undefined) {
    putUser(message); // what most messages come by: there is nothing to look up
    return undefined;
  }
  const identifying = identify(message, asked?.sources, wrapper);
  if (asked?.http === undefined) return identifying;
  return giveHttpSessionAfter(identifying && afterwards(identifying, putUser, message), message, asked.http);
}

async function giveHttpSessionAfter(
  identifying: Promise<void> | undefined,
  message: ChannelMessage,
  http: NonNullable<UserRequest['http']>,
): Promise<void> {
  if (identifying !== undefined) await identifying;
  await http.give(message);
}

function identify(message: ChannelMessage, sources: readonly UserSource[] | undefined, wrapper: string): Promise<void> | undefined {
  const { channel } = message;
  const connecting = connectingOf(message);
  if (connecting !== undefined) {
    const pending = connecting.prepare(sources, true);
    if (pending !== undefined) return pending;
  } else if (sources !== undefined && channel.identity.authentication === undefined) {
    throw new ChannelError(
      'ERR_WRAPPER_MISSING',
      `${wrapper} is called from a function of your own, where the server cannot see it, and after connect the credentials are gone: ` +
        'wrap the handler itself, or identify in connect too.',
    );
  }
  const loading = giveSession(message);
  if (loading !== undefined) return loading;
  putUser(message);
  return undefined;
}

/** Those that were given nobody, since their channel was not identified yet. */
const askedEarly = new WeakSet<ChannelMessage>();

/** Puts session and user on `message`: what {@link giveUser} does by itself where it has nothing to wait for. */
export function putUser(message: ChannelMessage): void {
  putSession(message);
  const { user, authentication } = message.channel.identity;
  if (!message.hasUser) {
    message.user = user;
    if (authentication === undefined && connectingOf(message) !== undefined) askedEarly.add(message);
  } else if (message.user === anonymousUser && askedEarly.has(message) && !hasOwnUser(message)) {
    message.user = user; // else an outer wrapper knows better: the HTTP session is gone, or it has put a user of its own
  }
}
