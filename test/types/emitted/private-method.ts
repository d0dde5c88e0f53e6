import type { BaseMessage } from 'ws-with';
import { type HasName, withName } from './chat.js';

/** Private methods can be decorated in the standard dialect alone. */
export class Secretive {
  readonly #room = 'cellar';

  @withName #hidden(message: BaseMessage & HasName) {
    return `${this.#room}: ${message.name}`;
  }

  reveal(message: BaseMessage) {
    return this.#hidden(message as BaseMessage & HasName);
  }
}
