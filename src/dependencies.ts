import type { Clock } from './contracts/clock.js';
import { ChannelError } from './errors.js';
import { type DependencyContainer, container as globalContainer, type InjectionToken } from './injection.js';

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

/** Finds what wrappers depend on: their own option, then the server's container, then tsyringe's global one. Each is resolved once. */
export class Dependencies {
  /** The server's clock, by which sources compare times. */
  readonly clock: Clock;
  readonly #container: DependencyContainer | undefined;
  readonly #connectTimeoutMs: number;
  readonly #resolved = new Map<InjectionToken<unknown>, unknown>();

  constructor(container: DependencyContainer | undefined, connectTimeoutMs: number, clock: Clock) {
    this.clock = clock;
    this.#container = container;
    this.#connectTimeoutMs = connectTimeoutMs;
  }

  /** The registered dependency, or `undefined`. */
  find<Dependency extends object>(token: InjectionToken<Dependency>, names: DependencyNames): Dependency | undefined {
    if (this.#resolved.has(token)) return this.#resolved.get(token) as Dependency | undefined;
    const holder = [this.#container, globalContainer].find((candidate) => candidate?.isRegistered(token, true));
    const dependency = holder?.resolve(token);
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
    if (own !== undefined) return this.check(own, names);
    const found = this.find(token, names);
    if (found !== undefined) return found;
    const { wrapper, option } = names;
    throw new ChannelError(
      'ERR_DEPENDENCY_MISSING',
      `${wrapper} has no ${option}: give it the option ${wrapper}({ ${option} }), or register one: ` +
        `container.register(${names.token}, { useValue: … }), with the container of the server or tsyringe's global one.`,
    );
  }

  /**
   * `dependency` itself.
   *
   * @throws {TypeError} when it lacks its method, or would give up later than a handshake may take.
   */
  check<Dependency extends object>(dependency: Dependency, names: DependencyNames): Dependency {
    const { wrapper, option, method } = names;
    const candidate = dependency as ({ readonly timeoutMs?: unknown } & Record<string, unknown>) | null;
    if (candidate === null || typeof candidate[method] !== 'function') {
      const got = candidate === null ? 'null' : `${typeof candidate} without it`;
      throw new TypeError(`${wrapper}: ${option} must have a method ${method}, got ${got}`);
    }
    const { timeoutMs } = candidate;
    if (typeof timeoutMs === 'number' && timeoutMs >= this.#connectTimeoutMs) {
      throw new TypeError(
        `${wrapper}: the timeoutMs of ${option} (${timeoutMs}) must lie below the server's connectTimeoutMs (${this.#connectTimeoutMs})`,
      );
    }
    return dependency;
  }
}
