import { defineBuiltIn } from '../src/channel/define-built-in.js';
import { tellClient } from '../src/channel/tell-client.js';
import type { Configurable, NoOptions } from '../src/wrapping/wrapper.js';

/**
 * When its handler throws a `ClientError`, sends it to the client as `{ "error": code, … }`, with the details beside `error`. The channel
 * stays open, and the session is left as it was. Any other error goes on. At connect, the client gets it after the 101.
 */
export const withClientErrors: Configurable<NoOptions> = defineBuiltIn('withClientErrors', { failed: tellClient });
