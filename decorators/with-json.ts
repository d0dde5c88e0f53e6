import { type ChannelMessage, ChannelReceiveMessage, channelMessage } from '../src/channel/channel-message.js';
import { ClientError } from '../src/errors.js';
import { isThenable, promiseOf } from '../src/maybe-promise.js';
import type { HasBody, ReceiveMessage } from '../src/messages.js';
import type { SchemaIssue, SchemaResult, StandardSchema } from '../src/standard-schema.js';
import { type AnyHandler, callShapes, named } from '../src/wrapping/call-shapes.js';
import { carryRequirements, requirementsOf } from '../src/wrapping/requirements.js';
import type { Wrapper } from '../src/wrapping/wrapper.js';
import { checkNoOptions } from './no-options.js';
import { catchClientErrors } from './with-client-errors.js';

/** Path and text of an issue, as the client gets it: a segment of a path may be a key or an object that holds one. */
function issueForClient({ path = [], message }: SchemaIssue): object {
  return {
    path: path
      .map((segment) => (typeof segment === 'object' ? segment.key : segment))
      .map((key) => (typeof key === 'symbol' ? String(key) : key)),
    message,
  };
}

function take(message: ChannelMessage, result: SchemaResult<unknown>): void {
  if (result.issues !== undefined) throw new ClientError('invalid_message', { issues: result.issues.map(issueForClient) });
  message.body = result.value;
}

function validated(schema: StandardSchema, handler: AnyHandler): AnyHandler {
  const wrapped = function (this: unknown, message: object, ...rest: unknown[]): unknown {
    const known = channelMessage('withJson', message);
    if (!(known instanceof ChannelReceiveMessage))
      throw new TypeError(`withJson: a ${known.kind} message has no JSON; wrap a receive handler in it`);
    const result = schema['~standard'].validate(known.hasBody ? known.body : known.json());
    if (!isThenable(result)) {
      take(known, result);
      return handler.call(this, message, ...rest);
    }
    return promiseOf(result).then((settled) => {
      take(known, settled as SchemaResult<unknown>);
      return handler.call(this, message, ...rest);
    });
  };
  return carryRequirements(named(handler.name || 'handler', wrapped), requirementsOf(handler));
}

/**
 * Parses the message's JSON and checks it against `schema`, any Standard Schema (zod, valibot, arktype); the handler gets its output as
 * `message.body`. For bad input the client gets `{ "error": "invalid_message", "issues": [{ "path", "message" }] }`, or
 * `{ "error": "invalid_json" }`; the channel stays open, and the handler is not called. Includes `withClientErrors`.
 *
 * @throws {TypeError} when `schema` is no Standard Schema.
 */
export function withJson<Output>(schema: StandardSchema<unknown, Output>): Wrapper<HasBody<Output>, ReceiveMessage> {
  if (typeof (schema as Partial<StandardSchema> | null)?.['~standard']?.validate !== 'function') {
    throw new TypeError('withJson: schema must be a Standard Schema, such as one of zod, valibot or arktype');
  }
  const shapes: unknown = callShapes(
    'withJson',
    (handler) => catchClientErrors('withJson', validated(schema, handler)),
    (given) => {
      checkNoOptions('withJson', given);
      return shapes;
    },
  );
  return shapes as Wrapper<HasBody<Output>, ReceiveMessage>;
}
