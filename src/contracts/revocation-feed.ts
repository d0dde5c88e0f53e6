import type { TokenId } from '../token-id.js';

/** Something that ended, or may have: a token, all that a user has, or an HTTP session. With `hint` it is to be looked up again. */
export type Revocation = ({ readonly tokenId: TokenId } | { readonly userId: string } | { readonly httpSessionId: string }) & {
  readonly hint?: true;
};

/** Carries revocations from where they happen to every process that serves channels. */
export interface RevocationFeed {
  /** Calls `on` for each revocation, and `onGap` when some may have been missed. */
  subscribe(on: (revocation: Revocation) => void, onGap: () => void): Promise<AsyncDisposable>;
  /** Tells all subscribers, on every node. */
  publish?(revocation: Revocation): Promise<void>;
}
