import type { Socket } from 'node:net';
import type { Authentication } from '../authentication.js';
import { Identification } from '../identity/identification.js';
import type { IdentityKeys } from '../identity/user-source.js';
import type { TokenId } from '../token-id.js';
import type { AnonymousUser, AppUser } from '../users.js';
import { completePrototype } from './complete-prototype.js';
import type { Runtime } from './runtime.js';
import type { Transport } from './transport.js';

/** What a connection consists of from the first, and who speaks on it. Handlers reach all of it, and can put nothing in its place. */
export abstract class ConnectionParts {
  readonly #identity: Identification = new Identification();
  #keys: IdentityKeys | undefined;
  #claims: IdentityKeys[] | undefined;
  readonly #runtime: Runtime;
  readonly #raw: Socket;
  readonly #via: Transport['via'];

  constructor(runtime: Runtime, { raw, via }: Transport) {
    this.#runtime = runtime;
    this.#raw = raw;
    this.#via = via;
  }

  get runtime(): Runtime {
    return this.#runtime;
  }

  get raw(): Socket {
    return this.#raw;
  }

  get via(): Transport['via'] {
    return this.#via;
  }

  get identity(): Identification {
    return this.#identity;
  }

  get user(): AppUser | AnonymousUser {
    return this.#identity.user;
  }

  get tokenId(): TokenId | undefined {
    return this.#identity.tokenId;
  }

  get authentication(): Authentication | undefined {
    return this.#identity.authentication;
  }

  /** What the registry finds it by. */
  get keys(): IdentityKeys | undefined {
    return this.#keys;
  }

  /** What the registry finds it by as well, while it is being looked up who speaks. */
  get claims(): readonly IdentityKeys[] | undefined {
    return this.#claims;
  }

  /** It is looked up whether somebody with `keys` speaks. */
  claimedBy(keys: IdentityKeys): void {
    if (this.#claims === undefined) this.#claims = [keys];
    else this.#claims.push(keys);
  }

  /** It is known who speaks: `keys` are all that it is found by. */
  namedBy(keys: IdentityKeys | undefined): void {
    this.#keys = keys;
    this.#claims = undefined;
  }
}

completePrototype('Channel', ConnectionParts.prototype);
