import { isDeepStrictEqual } from 'node:util';
import { type Authentication, authenticationOf } from '../authentication.js';
import type { Connection } from '../channel/connection.js';
import type { Clock } from '../contracts/clock.js';
import type { Identification } from '../identity/identification.js';
import type { Standing } from '../identity/recheck.js';
import type { BoundSource, Finding } from '../identity/user-source.js';
import type { ErrorCode } from '../outcomes.js';
import type { TokenId } from '../token-id.js';
import { codeOfEnd, codeOfExpiry } from './codes-of-ends.js';
import type { RevocationLog } from './revocation-log.js';

/** A token to which a channel may go over. */
export interface OtherToken {
  readonly tokenId: TokenId | undefined;
  readonly standing: Standing;
  /** The source whose token it is. */
  readonly source: BoundSource;
  /** What else that found. */
  readonly finding?: Pick<Finding, 'issuedAt' | 'credentialId' | 'found'> | undefined;
}

/** Says how long those who were identified may speak. Live channels go by the monotonic clock: a wall clock that is set changes nothing. */
export class Grants {
  readonly #clock: Clock;
  readonly #log: RevocationLog;
  /** What the wall clock and the monotonic clock were apart when the server was made. */
  readonly #apart: number;

  constructor(clock: Clock, log: RevocationLog) {
    this.#clock = clock;
    this.#log = log;
    this.#apart = clock.now() - clock.monotonic();
  }

  /** A channel was identified by a credential that expires: from the time that is left now its end is counted. */
  begin({ identity }: Connection): void {
    this.#putEnd(identity, identity.authentication?.expiresAt);
  }

  #putEnd(identity: Identification, expiresAt: Date | undefined): void {
    const inMs = expiresAt === undefined ? Number.POSITIVE_INFINITY : expiresAt.getTime() - this.#clock.now();
    identity.endsAt = this.#clock.monotonic() + inMs;
    identity.endDate = expiresAt?.getTime();
  }

  /**
   * What a channel's credential was found to be when it was looked up again at `askedAt`: either the code with which the channel ends, or
   * it is known anew who speaks, and until when.
   */
  judge(channel: Connection, standing: Standing | undefined, askedAt: number): ErrorCode | undefined {
    const { identity } = channel;
    const isToken = identity.isOfToken;
    const found = standing?.isPartial === true ? completed(standing, identity) : standing;
    if (found?.endedBy !== undefined) return found.endedBy;
    if (found !== undefined && isToken) this.#moveEnd(identity, found.expiresAt);
    if (found !== undefined && this.isRevoked(found)) return 'ERR_TOKEN_REVOKED';
    if (identity.endsAt <= this.#clock.monotonic()) return codeOfExpiry(identity);
    if (found === undefined) return codeOfEnd(identity);
    const { user, expiresAt, scopes } = found;
    if (user === undefined) return 'ERR_USER_INACTIVE';
    if (standing?.user !== undefined && user.id !== identity.keys?.userId) return codeOfEnd(identity);
    identity.verifiedAt = askedAt;
    const known = identity.authentication as Authentication;
    identity.renew(user, isToken && differs(known, found) ? authenticationOf({ ...known, expiresAt, scopes }) : known);
    return undefined;
  }

  /** The end moves by as much as the dates differ; compared with a wall clock that was set meanwhile, it would move by that too. */
  #moveEnd(identity: Identification, expiresAt: Date | undefined): void {
    const known = identity.endDate;
    const time = expiresAt?.getTime();
    if (time === known) return;
    if (known === undefined || time === undefined) this.#putEnd(identity, expiresAt);
    else {
      identity.endsAt += time - known;
      identity.endDate = time;
    }
  }

  /** Whether it was revoked. A wall clock that was set back must not make that a revocation of the future. */
  isRevoked({ revokedAt }: Standing): boolean {
    if (revokedAt === undefined) return false;
    return revokedAt.getTime() <= Math.max(this.#clock.now(), this.#clock.monotonic() + this.#apart);
  }

  /**
   * Whether a channel may go over to a token that was found to stand so when it was asked for at `mark`: it counts, and is of the same
   * user. A revocation since then did not find the channel by it, and the answer may be older.
   */
  mayGoOver(channel: Connection, { tokenId, standing }: Pick<OtherToken, 'tokenId' | 'standing'>, mark: number): boolean {
    if (tokenId !== undefined && this.#log.endedSince(mark, { tokenId }) !== undefined) return false;
    if (standing.user === undefined || standing.user.id !== channel.identity.keys?.userId || this.isRevoked(standing)) return false;
    return standing.expiresAt === undefined || standing.expiresAt.getTime() > this.#clock.now();
  }

  /** The channel goes over to another token of its user. */
  goOver({ identity }: Connection, { tokenId, standing, source, finding }: OtherToken, askedAt: number): void {
    const { user, expiresAt, scopes } = standing;
    if (user === undefined) return;
    const carrier = identity.authentication?.carrier;
    const authentication = authenticationOf({ outcome: 'ok', source: source.source, carrier, tokenId, expiresAt, scopes });
    identity.exchange({ ...finding, user, authentication }, source);
    identity.identifiedAt = askedAt;
    identity.verifiedAt = askedAt;
    this.#putEnd(identity, expiresAt);
  }
}

/** What `standing` says nothing of is as it was. */
function completed(standing: Standing, { knownUser, authentication }: Identification): Standing {
  return {
    ...standing,
    user: standing.user ?? knownUser,
    expiresAt: standing.expiresAt ?? authentication?.expiresAt,
    scopes: standing.scopes ?? authentication?.scopes,
  };
}

function differs(known: Authentication, { expiresAt, scopes }: Standing): boolean {
  return known.expiresAt?.getTime() !== expiresAt?.getTime() || !isDeepStrictEqual(known.scopes, scopes);
}
