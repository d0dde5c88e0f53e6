import { defineBuiltIn } from '../src/channel/define-built-in.js';
import { tellClient } from '../src/channel/tell-client.js';
import type { Configurable, NoOptions } from '../src/wrapping/wrapper.js';

/**
 * Sends a `ClientError` that its handler throws to the client as `{ "error": code, … }`, the details beside `error`. The channel stays open, and
 * the session is left as it was. Any other error goes on. At connect, before the handshake is answered, the client would see the
 * message after the 101.
 */
export const withClientErrors: Configurable<NoOptions> = defineBuiltIn('withClientErrors', { failed: tellClient });
