import type { SessionStore } from '../../src/contracts/session-store.js';
import { type ContractOptions, type ContractTest, contractTests } from './contract-test.js';
import { sessionArgumentCases } from './session-argument-cases.js';
import { sessionDataCases } from './session-data-cases.js';
import { sessionLifeCases } from './session-life-cases.js';
import { sessionVersionCases } from './session-version-cases.js';

/** The tests of the contract {@link SessionStore}. `create` gives the store. */
export function sessionStoreContract(options: ContractOptions<SessionStore>): readonly ContractTest[] {
  return contractTests(options, [...sessionLifeCases, ...sessionVersionCases, ...sessionDataCases, ...sessionArgumentCases]);
}
