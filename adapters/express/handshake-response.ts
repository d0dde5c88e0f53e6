import { type IncomingMessage, ServerResponse } from 'node:http';
import { nothing } from '../../src/maybe-promise.js';

/** Through these a response would be sent, or what waits for its end would begin: a session would be saved, a cookie set. */
const sending = ['end', 'write', 'writeHead', 'writeContinue', 'writeProcessing', 'writeEarlyHints', 'flushHeaders', '_implicitHeader'];
const ending: readonly string[] = ['end', 'write', 'writeHead', 'flushHeaders'];

/**
 * The response that middleware is given for a handshake: headers can be set on it, and nothing of it is ever sent, since the handshake is
 * answered by others. What middleware puts in the place of its methods, to act when it ends, is not called.
 */
export class HandshakeResponse extends ServerResponse<IncomingMessage> {
  /** @param onEnd called when middleware answers the request by itself; `statusCode` says how. */
  constructor(request: IncomingMessage, onEnd: () => void) {
    super(request);
    for (const name of sending) {
      const method = (status?: unknown): unknown => {
        if (name === 'writeHead' && Number.isInteger(status)) this.statusCode = Number(status);
        if (ending.includes(name)) onEnd();
        return name === 'write' ? true : this;
      };
      // express-session assigns its own `end`, on-headers its own `writeHead`: what is assigned is dropped
      Object.defineProperty(this, name, { configurable: false, enumerable: false, get: () => method, set: nothing });
    }
  }
}
