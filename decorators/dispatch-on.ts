import { ChannelReceiveMessage } from '../src/channel/channel-message.js';
import { channelMessage, defineBuiltIn } from '../src/channel/define-built-in.js';
import { tellClient } from '../src/channel/tell-client.js';
import { ClientError } from '../src/errors.js';
import { kindOf } from '../src/kind-of.js';
import type { HasBody, ReceiveMessage } from '../src/messages.js';
import { type AnyHandler, checkedHandler, madeHandler, markFactories } from '../src/wrapping/made-function.js';
import { type Requirement, requirementsOf } from '../src/wrapping/requirements.js';
import type { Handler } from '../src/wrapping/wrapper.js';

const owner = 'dispatchOn';

const withToldErrors: (handler: AnyHandler) => AnyHandler = defineBuiltIn(owner, { failed: tellClient });

/** The handler of one command. */
interface Part {
  readonly handler: AnyHandler;
  readonly isOrdered: boolean;
}

/** The command of a message's JSON, where it has one. A number is meant by its digits: names of properties are strings. */
function commandOf(body: unknown, property: string): unknown {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, property)) return undefined;
  const command = (body as Record<string, unknown>)[property];
  return typeof command === 'number' ? String(command) : command;
}

/**
 * Makes one handler of several: picks it by `property` of the message's JSON, and gives it the parsed JSON as `message.body`. Each part is
 * wrapped by itself. A command may be a number, as in `{ 1: join, 2: leave }`. For an unknown or missing command the client gets
 * `{ "error": "unknown_command" }`, and the channel stays open. A `ClientError` of a part is sent to the client in the same way.
 *
 * It does what the routing of Channels does with its `command` filter.
 *
 * @throws {TypeError} when `parts` is not a plain object, or a part is not a handler (but a wrapper, for example).
 */
export function dispatchOn<M extends ReceiveMessage = ReceiveMessage>(
  property: string,
  parts: { readonly [command: string]: Handler<NoInfer<M> & HasBody> },
): Handler<M> {
  if (typeof property !== 'string') throw new TypeError(`${owner}: property must be a string, got ${kindOf(property)}`);
  const table = new Map<unknown, Part>();
  const requirements: Requirement[] = [];
  for (const [command, part] of Object.entries(checkedParts(parts))) {
    const handler = checkedHandler(`${owner}: ${command}`, part);
    const needed = requirementsOf(handler);
    table.set(command, { handler, isOrdered: needed.some(({ kind }) => kind === 'ordering') });
    requirements.push(...needed.map((requirement) => ({ ...requirement, sometimes: true })));
  }
  return madeHandler(`${owner}(${property})`, withToldErrors(dispatcher(property, table)), [], requirements) as Handler<M>;
}

markFactories(dispatchOn);

/** `parts` itself. An instance's methods are none of its own members, nor are a Map's entries: every command would be unknown. */
function checkedParts(parts: unknown): object {
  const prototype: unknown = typeof parts === 'object' && parts !== null ? Object.getPrototypeOf(parts) : undefined;
  // the prototype of another realm's objects is not ours, but has none either
  if (prototype === null || (prototype !== undefined && Object.getPrototypeOf(prototype) === null)) return parts as object;
  const got = prototype === undefined ? kindOf(parts) : `an instance of ${(parts as object).constructor.name}`;
  throw new TypeError(`${owner}: its second argument must be a plain object of handlers by command, { command: handler }, got ${got}`);
}

function dispatcher(property: string, table: ReadonlyMap<unknown, Part>): AnyHandler {
  return function (this: unknown, message: object, ...rest: unknown[]): unknown {
    const known = channelMessage(owner, message);
    if (!(known instanceof ChannelReceiveMessage)) throw new TypeError(`${owner}: a ${known.kind} message has no JSON; use it for receive`);
    const body = known.hasBody ? known.body : known.json();
    const part = table.get(commandOf(body, property));
    if (part?.isOrdered !== true) known.channel.inbox.decide(known);
    if (part === undefined) throw new ClientError('unknown_command');
    known.body = body;
    return part.handler.call(this, message, ...rest);
  };
}
