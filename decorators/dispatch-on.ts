import { ChannelReceiveMessage, channelMessage } from '../src/channel/channel-message.js';
import { ClientError } from '../src/errors.js';
import type { HasBody, ReceiveMessage } from '../src/messages.js';
import { type AnyHandler, named } from '../src/wrapping/call-shapes.js';
import { carryRequirements, type Requirement, requirementsOf } from '../src/wrapping/requirements.js';
import type { Handler } from '../src/wrapping/wrapper.js';
import { catchClientErrors } from './with-client-errors.js';

/** The command of a message's JSON, where it has one. */
function commandOf(body: unknown, property: string): unknown {
  if (typeof body !== 'object' || body === null || !Object.hasOwn(body, property)) return undefined;
  return (body as Record<string, unknown>)[property];
}

/**
 * Makes one handler of several: picks it by `property` of the message's JSON, and hands it the parsed JSON as `message.body`. Each part is
 * wrapped by itself. An unknown or missing command is told to the client as `{ "error": "unknown_command" }`, and the channel stays open;
 * so is every `ClientError` of a part.
 *
 * It is what the routing of Channels does with its `command` filter.
 *
 * @throws {TypeError} when a part is no function.
 */
export function dispatchOn<M extends ReceiveMessage = ReceiveMessage>(
  property: string,
  parts: { readonly [command: string]: Handler<NoInfer<M> & HasBody> },
): Handler<M> {
  if (typeof property !== 'string') throw new TypeError(`dispatchOn: property must be a string, got ${typeof property}`);
  const table = new Map<unknown, { readonly handler: AnyHandler; readonly ordered: boolean }>();
  const requirements: Requirement[] = [];
  for (const [command, part] of Object.entries(parts)) {
    if (typeof part !== 'function') throw new TypeError(`dispatchOn: ${command} must be a handler, got ${typeof part}`);
    const needed = requirementsOf(part);
    table.set(command, { handler: part as AnyHandler, ordered: needed.some(({ kind }) => kind === 'ordering') });
    requirements.push(...needed.map((requirement) => ({ ...requirement, sometimes: true })));
  }
  const dispatch = function (this: unknown, message: object, ...rest: unknown[]): unknown {
    const known = channelMessage('dispatchOn', message);
    if (!(known instanceof ChannelReceiveMessage))
      throw new TypeError(`dispatchOn: a ${known.kind} message has no JSON; use it for receive`);
    const body = known.hasBody ? known.body : known.json();
    const part = table.get(commandOf(body, property));
    if (part?.ordered !== true) known.channel.inbox.decide(known);
    if (part === undefined) throw new ClientError('unknown_command');
    known.body = body;
    return part.handler.call(this, message, ...rest);
  };
  const name = `dispatchOn(${property})`;
  return carryRequirements(named(name, catchClientErrors('dispatchOn', dispatch as AnyHandler)), requirements) as unknown as Handler<M>;
}
