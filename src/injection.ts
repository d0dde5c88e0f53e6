// Before tsyringe, which throws without it, and twice: bundlers such as rolldown put what this file itself imports as CommonJS after
// tsyringe, and jest runs what CommonJS this file itself imports, tsyringe that is, before what its other files import.
import './reflection.js';
import 'reflect-metadata';
import { container, type DependencyContainer, type InjectionToken } from 'tsyringe';
import type { HttpSessionReader } from './contracts/http-session-reader.js';
import type { RevocationFeed } from './contracts/revocation-feed.js';
import type { SessionStore } from './contracts/session-store.js';
import type { TicketStore } from './contracts/ticket-store.js';
import type { TokenRepository } from './contracts/token-repository.js';
import type { UserRepository } from './contracts/user-repository.js';

export { container, type DependencyContainer, type InjectionToken };

/** A typed injection token: `Symbol.for`, so that two copies of this package in one process mean the same one. */
export function injectionToken<Dependency>(name: string): InjectionToken<Dependency> {
  return Symbol.for(`ws-with.${name}`);
}

/** Where a {@link TokenRepository} is registered. */
export const TOKEN_REPOSITORY: InjectionToken<TokenRepository> = injectionToken('TOKEN_REPOSITORY');
/** Where a {@link UserRepository} is registered. */
export const USER_REPOSITORY: InjectionToken<UserRepository> = injectionToken('USER_REPOSITORY');
/** Where a {@link SessionStore} is registered. Without one, sessions live in the process. */
export const SESSION_STORE: InjectionToken<SessionStore> = injectionToken('SESSION_STORE');
/** Where an {@link HttpSessionReader} is registered. */
export const HTTP_SESSION_READER: InjectionToken<HttpSessionReader> = injectionToken('HTTP_SESSION_READER');
/** Where a {@link RevocationFeed} is registered. Without one, a server acts on what its own process ends, and on what its sweeps find. */
export const REVOCATION_FEED: InjectionToken<RevocationFeed> = injectionToken('REVOCATION_FEED');
/** Where a {@link TicketStore} is registered. */
export const TICKET_STORE: InjectionToken<TicketStore> = injectionToken('TICKET_STORE');

/** Registers `instance` under each of `tokens`. */
export function registerInstance<Instance>(
  container: DependencyContainer,
  instance: Instance,
  ...tokens: readonly InjectionToken<Instance>[]
): void {
  for (const token of tokens) container.register<Instance>(token, { useFactory: () => instance });
}
