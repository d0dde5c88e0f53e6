export { type ConnectOptions, connectTo, type TestClient } from '../testing/connect-to.js';
export { type BroadcasterFixture, broadcasterContract } from '../testing/contracts/broadcaster-contract.js';
export type { ContractOptions, ContractTest } from '../testing/contracts/contract-test.js';
export {
  type HttpSessionReaderFixture,
  type HttpSessionStoreFailures,
  httpSessionReaderContract,
  type SampleHttpSession,
} from '../testing/contracts/http-session-reader-contract.js';
export { type RevocationFeedFixture, revocationFeedContract } from '../testing/contracts/revocation-feed-contract.js';
export {
  type SessionStoreContractOptions,
  sessionStoreContract,
  type WeakerSessionStorePromise,
} from '../testing/contracts/session-store-contract.js';
export { type TicketStoreFixture, ticketStoreContract } from '../testing/contracts/ticket-store-contract.js';
export type { SampleToken, TokenIssuerFixture, TokenRepositoryFixture } from '../testing/contracts/token-fixtures.js';
export { tokenIssuerContract } from '../testing/contracts/token-issuer-contract.js';
export { tokenRepositoryContract } from '../testing/contracts/token-repository-contract.js';
export { type UserRepositoryFixture, userRepositoryContract } from '../testing/contracts/user-repository-contract.js';
export type { HandshakeOptions } from '../testing/fake-request.js';
export { TestClock } from '../testing/test-clock.js';
