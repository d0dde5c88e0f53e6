import { ChannelReceiveMessage } from '../src/channel/channel-message.js';
import { defineBuiltIn } from '../src/channel/define-built-in.js';
import { tellClient } from '../src/channel/tell-client.js';
import { ClientError } from '../src/errors.js';
import { kindOf } from '../src/kind-of.js';
import { isThenable, promiseOf } from '../src/maybe-promise.js';
import type { HasBody, ReceiveMessage } from '../src/messages.js';
import type { SchemaIssue, SchemaResult, StandardSchema } from '../src/standard-schema.js';
import { markFactories } from '../src/wrapping/made-function.js';
import type { Wrapper } from '../src/wrapping/wrapper.js';

/** A client is told of so many issues at most: a list of what is wrong may be long, and its answer would be thirty times as long. */
const maxIssues = 20;

/** Path and text of an issue, as the client gets it: a segment of a path may be a key or an object that holds one. */
function issueForClient({ path = [], message }: SchemaIssue): object {
  return {
    path: path
      .map((segment) => (typeof segment === 'object' ? segment.key : segment))
      .map((key) => (typeof key === 'symbol' ? String(key) : key)),
    message,
  };
}

/**
 * What came of it when `message` passed `schema` before: one that transforms would transform its own output. `undefined` where it did not,
 * or where somebody else has put another body since, which nothing has checked.
 */
function earlierCheck(message: ChannelReceiveMessage, schema: object): { readonly output: unknown } | undefined {
  const checks = message.bodyChecks;
  if (!checks.some(({ output }) => output === message.body)) return undefined;
  return checks.findLast((check) => check.schema === schema);
}

/** @throws {TypeError} when it is no result of a schema: what was never checked must not pass for checked. */
function takeResult(message: ChannelReceiveMessage, result: SchemaResult<unknown>, schema: object): void {
  if (typeof result !== 'object' || result === null || !('value' in result || 'issues' in result)) {
    throw new TypeError(`withJson: the schema's validate must return { value } or { issues }, got ${kindOf(result)}`);
  }
  if (result.issues !== undefined) {
    throw new ClientError('invalid_message', { issues: result.issues.slice(0, maxIssues).map(issueForClient) });
  }
  message.body = result.value;
  message.bodyPassed({ schema, output: result.value });
}

/**
 * Parses the message's JSON and checks it against `schema`, any Standard Schema (zod, valibot, arktype). The handler gets the schema's
 * output as `message.body`. For bad input the client gets `{ "error": "invalid_message", "issues": [{ "path", "message" }] }` (the first
 * 20), or `{ "error": "invalid_json" }`; the channel stays open, and the handler is not called. Includes `withClientErrors`.
 *
 * @throws {TypeError} when `schema` is not a Standard Schema.
 */
export function withJson<Output>(schema: StandardSchema<unknown, Output>): Wrapper<HasBody<Output>, ReceiveMessage> {
  const name = 'withJson';
  if (typeof (schema as Partial<StandardSchema> | null)?.['~standard']?.validate !== 'function') {
    throw new TypeError(`${name}: schema must be a Standard Schema, such as one of zod, valibot or arktype`);
  }
  return defineBuiltIn(name, {
    before: (message) => {
      if (!(message instanceof ChannelReceiveMessage)) {
        throw new TypeError(`${name}: a ${message.kind} message has no JSON; wrap a receive handler in it`);
      }
      const earlier = earlierCheck(message, schema);
      if (earlier !== undefined) {
        message.body = earlier.output;
        return undefined;
      }
      const result = schema['~standard'].validate(message.hasBody ? message.body : message.json());
      if (isThenable(result)) return promiseOf(result).then((settled) => takeResult(message, settled, schema));
      return takeResult(message, result, schema);
    },
    failed: tellClient,
  });
}

markFactories(withJson);
