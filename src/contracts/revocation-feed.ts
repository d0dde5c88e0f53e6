import type { TokenId } from '../token-id.js';

/**
 * Something that ended, or may have: a token, a user (or those of its tokens that were issued before a moment), or an HTTP session.
 *
 * Without `hint` the channels concerned end. With it they are looked up again in one batch, and only those whose credential is found to
 * have ended do. A feed that sees a change, and cannot tell what it means, gives `hint`.
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

/** What a feed or a broadcaster calls to tell that it fails, or works again, after it has begun. */
export interface FeedHealth {
  /**
   * It hears nothing, or not all, and an attempt to go on has failed with `error`. Called for each such attempt; it tries again by itself.
   */
  failed(error: unknown): void;
  /** After a failure: it hears everything again. It tells what may have been missed by `onGap`. */
  restored(): void;
}

/**
 * Carries revocations from where they happen to every process that serves channels. It may tell a revocation more than once, and may tell
 * of something that has no channel here. It must not lose one in silence: if it may have, it calls `onGap`.
 */
export interface RevocationFeed {
  /** After how many milliseconds the feed itself gives up; must lie below the server's `connectTimeoutMs`. */
  readonly timeoutMs?: number | undefined;
  /**
   * Calls `on` for each revocation, and `onGap` when some may have been missed.
   *
   * Resolves once nothing that happens from now on can be missed without `onGap`. Rejects if it cannot begin. What a callback throws harms
   * no other subscriber.
   *
   * @param health is told when a feed breaks after it has begun, by feeds that can.
   * @returns what ends the subscription: neither callback is called after that.
   */
  subscribe(on: (revocation: Revocation) => void, onGap: () => void, health?: FeedHealth): Promise<AsyncDisposable>;
  /**
   * Tells all subscribers, on every node. Resolves once it is certain that they will hear of it, or of a gap.
   *
   * @throws {TypeError} (as a rejection) when it names none, or more than one, or `issuedBefore` is no valid `Date`; `checkedRevocation`
   * tells.
   */
  publish?(revocation: Revocation): Promise<void>;
}
