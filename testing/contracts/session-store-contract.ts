import type { SessionStore } from '../../src/contracts/session-store.js';
import { type ContractOptions, type ContractTest, contractTests } from './contract-test.js';
import { sessionArgumentCases } from './session-argument-cases.js';
import { sessionDataCases } from './session-data-cases.js';
import { sessionLifeCases, touchCases, weakerTouchCases } from './session-life-cases.js';
import { sessionVersionCases } from './session-version-cases.js';

/**
 * A promise of {@link SessionStore} that a store keeps in part. The suite then tests the part instead of the whole promise, in tests whose
 * names say so.
 *
 * - `touched-expiry`: a touched record lives as long as it should, but may be loaded with its former `expiresAt`.
 */
export type WeakerSessionStorePromise = 'touched-expiry';

/** What `sessionStoreContract` needs. */
export interface SessionStoreContractOptions extends ContractOptions<SessionStore> {
  /** The promises that the store keeps in part. @default none */
  readonly weaker?: readonly WeakerSessionStorePromise[] | undefined;
}

/** The tests of the contract {@link SessionStore}. `create` gives the store. */
export function sessionStoreContract(options: SessionStoreContractOptions): readonly ContractTest[] {
  const touching = options.weaker?.includes('touched-expiry') === true ? weakerTouchCases : touchCases;
  return contractTests(options, sessionLifeCases, touching, sessionVersionCases, sessionDataCases, sessionArgumentCases);
}
