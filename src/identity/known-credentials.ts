import { ChannelError } from '../errors.js';
import { credentialHeaders, type HandshakeSecrets } from '../handshake.js';
import type { Reporter } from '../reporter.js';
import type { CredentialSource } from './credentials.js';

/**
 * Everywhere that a wrapper of a server looks for tokens: what is secret in a handshake. Wrappers hidden in functions of the application's
 * own add theirs when they are met.
 */
export class KnownCredentials implements HandshakeSecrets {
  readonly #reporter: Reporter;
  readonly #sources: CredentialSource[] = [];
  readonly #secretParameters = new Set<string>();
  readonly #secretHeaders = new Set(credentialHeaders);
  /** All of them, each once. */
  readonly sources: readonly CredentialSource[] = this.#sources;
  /** The parameters of the query among them, in lower case, whose values nobody is shown. */
  readonly secretParameters: ReadonlySet<string> = this.#secretParameters;
  /** The headers that carry credentials, in lower case, those of the application's own places among them. */
  readonly secretHeaders: ReadonlySet<string> = this.#secretHeaders;
  #isUnguardedReported = false;

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  /** Whether tokens may travel as subprotocols, which must not be echoed. */
  get readsSubprotocols(): boolean {
    return this.#sources.some(({ carrier }) => carrier === 'subprotocol');
  }

  learn(credentials: readonly CredentialSource[]): void {
    for (const found of credentials) {
      const isKnown = this.#sources.some(({ carrier, name }) => carrier === found.carrier && name === found.name);
      if (isKnown) continue;
      this.#sources.push(found);
      const lower = String(found.name).toLowerCase(); // a place of the application's own may have none
      if (found.carrier === 'query') this.#secretParameters.add(lower);
      if (found.carrier === 'header') this.#secretHeaders.add(lower);
    }
  }

  /** The server was handed a socket whose handshake it had no say in: where tokens may have been echoed, it says so, once. */
  reportUnguarded(): void {
    if (this.#isUnguardedReported || !this.readsSubprotocols) return;
    this.#isUnguardedReported = true;
    const text =
      'A wrapper reads tokens from subprotocols, and accept sees sockets only after ws has answered: make sure that the WebSocketServer has ' +
      'handleProtocols and never echoes a token, or use attach or handleUpgrades, which do.';
    this.#reporter.warn(new ChannelError('ERR_SUBPROTOCOL_UNGUARDED', text));
  }
}
