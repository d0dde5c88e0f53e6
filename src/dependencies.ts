import type { Clock } from './contracts/clock.js';
import { ChannelError } from './errors.js';
import { type DependencyContainer, container as globalContainer, type InjectionToken } from './injection.js';
import { ignore, isThenable } from './maybe-promise.js';
import { isThrown, memberOf } from './thrown.js';

/** What a dependency is called where it is missing. */
export interface DependencyNames {
  /** The wrapper that needs it. */
  readonly wrapper: string;
  /** The wrapper's option that gives it, e.g. `tokens`. */
  readonly option: string;
  /** The name of its injection token, e.g. `TOKEN_REPOSITORY`. */
  readonly token: string;
  /** The method by which it is recognised. */
  readonly method: string;
}

/** Whether tsyringe threw `error` since it lacks what it needs to know of a class. It has no codes. */
function isOfContainer(error: unknown): boolean {
  const message = isThrown(error, Error) ? memberOf(error, 'message') : undefined;
  return (
    typeof message === 'string' &&
    /TypeInfo not known|Cannot inject the dependency|undefined constructor|unregistered dependency/.test(message)
  );
}

/**
 * What `container` makes for `token`.
 *
 * @param what it is, for the error: a phrase that begins a sentence.
 * @throws {TypeError} naming it and the remedy, with the container's error as cause; what a factory throws is passed on.
 */
export function resolveFrom<T>(container: DependencyContainer, token: InjectionToken<T>, what: string): T {
  try {
    return container.resolve(token);
  } catch (cause) {
    if (!isOfContainer(cause)) throw cause; // a factory or constructor of the application threw
    throw new TypeError(
      `${what} cannot be made by the container. A class whose constructor has parameters needs @injectable(), and each parameter ` +
        '@inject(token), or emitDecoratorMetadata in the compiler that builds it (esbuild and others that drop types write no metadata) with ' +
        'reflect-metadata imported first; else give the container one by registerInstance(token, …). The cause says where it failed.',
      { cause },
    );
  }
}

/** What a wrapper lacks, what to register, and how. */
export function missing({ wrapper, option, token }: DependencyNames): ChannelError {
  return new ChannelError(
    'ERR_DEPENDENCY_MISSING',
    `${wrapper} has no ${option}: give it the option ${wrapper}({ ${option} }), or register one: ` +
      `container.registerInstance(${token}, …), with the container of the server or tsyringe's global one.`,
  );
}

/** Finds what wrappers depend on: their own option, then the server's container, then tsyringe's global one. Each is resolved once. */
export class Dependencies {
  /** The server's clock, by which sources compare times. */
  readonly clock: Clock;
  readonly #container: DependencyContainer | undefined;
  readonly #connectTimeoutMs: number;
  readonly #resolved = new Map<InjectionToken<unknown>, unknown>();

  /** @param container has been checked by whoever was given it. */
  constructor(container: Partial<DependencyContainer> | undefined, connectTimeoutMs: number, clock: Clock) {
    this.clock = clock;
    this.#container = container as DependencyContainer | undefined;
    this.#connectTimeoutMs = connectTimeoutMs;
  }

  /** The registered dependency, or `undefined`. */
  find<Dependency extends object>(token: InjectionToken<Dependency>, names: DependencyNames): Dependency | undefined {
    if (this.#resolved.has(token)) return this.#resolved.get(token) as Dependency | undefined;
    const holder = [this.#container, globalContainer].find((candidate) => candidate?.isRegistered(token, true));
    const dependency = holder && resolveFrom(holder, token, `${names.wrapper}: what is registered as ${names.token}`);
    if (dependency !== undefined) this.check(dependency, names);
    this.#resolved.set(token, dependency);
    return dependency;
  }

  /**
   * The wrapper's own dependency, or the registered one.
   *
   * @throws {ChannelError} `ERR_DEPENDENCY_MISSING` saying what to register and how.
   */
  require<Dependency extends object>(own: Dependency | undefined, token: InjectionToken<Dependency>, names: DependencyNames): Dependency {
    const found = this.optional(own, token, names);
    if (found !== undefined) return found;
    throw missing(names);
  }

  /** The wrapper's own dependency, or the registered one, or `undefined` where there is neither. */
  optional<Dependency extends object>(
    own: Dependency | undefined,
    token: InjectionToken<Dependency>,
    names: DependencyNames,
  ): Dependency | undefined {
    if (own === undefined) return this.find(token, names);
    this.check(own, names);
    return own;
  }

  /** @throws {TypeError} when it lacks its method, or would give up later than a handshake may take. */
  check(dependency: object, names: DependencyNames): void {
    const { wrapper, option, method } = names;
    const candidate = dependency as ({ readonly timeoutMs?: unknown } & Record<string, unknown>) | null;
    if (candidate === null || typeof candidate[method] !== 'function') {
      if (isThenable(candidate)) {
        ignore(candidate); // whatever it comes to, it is not awaited
        throw new TypeError(
          `${wrapper}: ${option} must have a method ${method}, got a promise of it: await it before the server is built, then give it as the ` +
            `option ${option} or container.registerInstance(${names.token}, …)`,
        );
      }
      const got = candidate === null ? 'null' : `${typeof candidate} without it`;
      throw new TypeError(`${wrapper}: ${option} must have a method ${method}, got ${got}`);
    }
    const { timeoutMs } = candidate;
    if (typeof timeoutMs === 'number' && timeoutMs >= this.#connectTimeoutMs) {
      throw new TypeError(
        `${wrapper}: the timeoutMs of ${option} (${timeoutMs}) must lie below the server's connectTimeoutMs (${this.#connectTimeoutMs})`,
      );
    }
  }
}
