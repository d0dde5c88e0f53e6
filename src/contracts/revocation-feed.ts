import type { TokenId } from '../token-id.js';

/**
 * Something that ended, or may have: a token, a user (or those of its tokens that were issued before a moment), or an HTTP session.
 *
 * Without `hint` the channels concerned are ended. With it they are looked up again, all in one batch, and only what is found to have
 * ended is: so a feed that sees a row change, and cannot tell what the change means, says `hint`.
 */
export type Revocation = (
  | { readonly tokenId: TokenId }
  | {
      readonly userId: string;
      /** Only what was issued before this moment ended. @default all of it */
      readonly issuedBefore?: Date | undefined;
    }
  | { readonly httpSessionId: string }
) & {
  /** Look it up again, rather than end it. */
  readonly hint?: true | undefined;
};

/** Is told by a feed how it fares after it has begun. */
export interface FeedHealth {
  /** Nothing is heard, and an attempt to go on has failed with `error`; told of each such attempt. The feed tries again by itself. */
  failed(error: unknown): void;
  /** After that: all is heard again. What may have been missed is told by `onGap`. */
  restored(): void;
}

/**
 * Carries revocations from where they happen to every process that serves channels. It may tell one more than once, and tell of what
 * has no channel here; it must not lose one in silence: where it may have, it calls `onGap`.
 */
export interface RevocationFeed {
  /**
   * Calls `on` for each revocation, and `onGap` when some may have been missed.
   *
   * Resolves once nothing that happens from now on can be missed without `onGap`; rejects where it cannot begin. What a callback throws is
   * the subscriber's affair: other subscribers hear of the revocation all the same.
   *
   * @param health is told when a feed that had begun cannot go on, by feeds that can fail so.
   * @returns what ends the subscription: neither callback is called after that.
   */
  subscribe(on: (revocation: Revocation) => void, onGap: () => void, health?: FeedHealth): Promise<AsyncDisposable>;
  /** Tells all subscribers, on every node. Resolves once it is certain that they will be told, or that they will be told of a gap. */
  publish?(revocation: Revocation): Promise<void>;
}
