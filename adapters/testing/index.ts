export type { ContractOptions, ContractTest } from './contract-test.js';
export { type HttpSessionReaderFixture, httpSessionReaderContract, type SampleHttpSession } from './http-session-reader-contract.js';
export { sessionStoreContract } from './session-store-contract.js';
export { TestClock } from './test-clock.js';
export type { SampleToken, TokenIssuerFixture, TokenRepositoryFixture } from './token-fixtures.js';
export { tokenIssuerContract } from './token-issuer-contract.js';
export { tokenRepositoryContract } from './token-repository-contract.js';
export { type UserRepositoryFixture, userRepositoryContract } from './user-repository-contract.js';
