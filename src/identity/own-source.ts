import type { IncomingMessage } from 'node:http';
import { type AuthenticationOutcome, authenticationOf, type Carrier, nothingPresented, type SourceName } from '../authentication.js';
import { isValidDateIfAny } from '../checked-date.js';
import { isListOf } from '../checked-options.js';
import type { Clock } from '../contracts/clock.js';
import { kindOf, kindOfSecret } from '../kind-of.js';
import type { ErrorCode } from '../outcomes.js';
import { errorOf } from '../thrown.js';
import { isTokenId, type TokenId } from '../token-id.js';
import type { AppUser, FoundUser, UserLike } from '../users.js';
import { checkedUser } from './checked-grant.js';
import type { CredentialSource } from './credentials.js';
import { endingAt, untilAsked } from './ending-source.js';
import type { Aborting, Recheck, Standing } from './recheck.js';
import { copyOfRevalidation, type Revalidate } from './revalidation.js';
import type { BoundSource, Finding, KeyLookUps, UserSource } from './user-source.js';

/** What a source of your own found: the outcome, and with `ok` the user. */
export interface SourceFinding<User extends UserLike = AppUser> {
  /** How it went. Return one of these for a client's mistake; throw when nobody can tell. */
  readonly outcome: AuthenticationOutcome;
  /** Who it is. Required if the outcome is `ok`, and ignored otherwise. */
  readonly user?: User | undefined;
  /** Where the credential travelled. */
  readonly carrier?: Carrier | undefined;
  /**
   * The id by which the credential's channels are found and revoked, e.g. {@link tokenIdOf} of its key. Without it they are found by their
   * user alone.
   */
  readonly tokenId?: TokenId | undefined;
  /** When it was issued, for revocations of all that was issued before a moment. @default the moment of its first use */
  readonly issuedAt?: Date | undefined;
  /** When it ends, and its channels with it. @default never */
  readonly expiresAt?: Date | undefined;
  /** What it may be used for. */
  readonly scopes?: readonly string[] | undefined;
}

/** What a look-up of your own gets beside its subject. */
export interface SourceContext {
  /** The server's clock. */
  readonly clock: Clock;
  /** Aborted when the deadline has passed or the client has left: then nobody waits for the answer. */
  readonly signal: AbortSignal;
}

/** One or a promise of it. */
export type Awaitable<T> = T | PromiseLike<T>;

/** How a source of the application's own works. */
export interface OwnSource<Found extends SourceFinding<UserLike>> {
  readonly name: SourceName;
  /** How it is made, for errors and advice. */
  readonly madeBy: string;
  readonly credentials: readonly CredentialSource[];
  readonly asks: readonly unknown[];
  readonly revalidate: Revalidate | undefined;
  readonly until: Date | undefined;
  find(request: IncomingMessage, context: SourceContext, lookUps: KeyLookUps): Awaitable<Found>;
  /** Finds the user of a key that is in no handshake. */
  readonly keys?: {
    accepts(key: string): boolean;
    find(key: string, context: SourceContext, lookUps: KeyLookUps): Awaitable<Found>;
  };
  /** Asks again for live channels, all at once or each by itself. What an answer leaves out is as it was. */
  readonly recheck?: {
    readonly one: ((found: Found, context: SourceContext) => Awaitable<SourceFinding<UserLike>>) | undefined;
    readonly many: ((found: readonly Found[], context: SourceContext) => Awaitable<readonly SourceFinding<UserLike>[]>) | undefined;
  };
}

class Context implements SourceContext {
  readonly clock: Clock;
  readonly #aborting: Aborting;

  constructor(clock: Clock, aborting: Aborting) {
    this.clock = clock;
    this.#aborting = aborting;
  }

  get signal(): AbortSignal {
    return this.#aborting.signal;
  }
}

/** How a live channel ends of whose credential that was found when it was looked up again. */
const codesByOutcome: Readonly<Record<AuthenticationOutcome, ErrorCode | undefined>> = {
  missing: 'ERR_TOKEN_REVOKED',
  malformed: 'ERR_TOKEN_REVOKED',
  unknown: 'ERR_TOKEN_REVOKED',
  expired: 'ERR_TOKEN_EXPIRED',
  revoked: 'ERR_TOKEN_REVOKED',
  'inactive-user': 'ERR_USER_INACTIVE',
  ok: undefined,
};

/** @throws {TypeError} naming `method` and the member, unless `found` is what such a method must return. */
function checkFinding(method: string, found: unknown): asserts found is SourceFinding<UserLike> {
  if (typeof found !== 'object' || found === null || Array.isArray(found)) {
    throw new TypeError(`${method} must return an object with outcome, got ${kindOf(found)}`);
  }
  const { outcome, carrier, tokenId, issuedAt, expiresAt, scopes } = found as Partial<SourceFinding<UserLike>>;
  const fail = (member: string, must: string): never => {
    throw new TypeError(`${method} must return ${member} as ${must}, got ${kindOfSecret(Reflect.get(found, member))}`);
  };
  if (typeof outcome !== 'string' || !Object.hasOwn(codesByOutcome, outcome))
    fail('outcome', `one of ${Object.keys(codesByOutcome).join(', ')}`);
  if (carrier != null && (typeof carrier !== 'string' || carrier === '')) fail('carrier', 'a non-empty string or not at all');
  if (tokenId != null && !isTokenId(tokenId)) fail('tokenId', 'an id of a token (64 lower-case hexadecimal digits) or not at all');
  if (!isValidDateIfAny(issuedAt)) fail('issuedAt', 'a valid Date or not at all');
  if (!isValidDateIfAny(expiresAt)) fail('expiresAt', 'a valid Date or not at all');
  if (scopes != null && !isListOf(scopes, (scope) => typeof scope === 'string')) fail('scopes', 'a list of strings or not at all');
}

function copyOf(date: Date | null | undefined): Date | undefined {
  return date == null ? undefined : new Date(date);
}

/** The source of users that `own` describes. */
export function ownSource<Found extends SourceFinding<UserLike>>(own: OwnSource<Found>): UserSource<FoundUser<UserOf<Found>>> {
  const { name, credentials } = own;
  return Object.freeze<UserSource<FoundUser<UserOf<Found>>>>({
    source: name,
    credentials,
    bind({ clock }): BoundSource {
      return endingAt(own.until, new BoundOwnSource(own, clock).bound(), clock);
    },
  });
}

/** The user in what a source finds. */
export type UserOf<Found> = Found extends { readonly user?: infer User } ? Extract<NonNullable<User>, UserLike> : never;

class BoundOwnSource<Found extends SourceFinding<UserLike>> {
  readonly #own: OwnSource<Found>;
  readonly #clock: Clock;
  /** How many were found that have no id of a token. */
  #unnamed = 0;

  constructor(own: OwnSource<Found>, clock: Clock) {
    this.#own = own;
    this.#clock = clock;
  }

  bound(): BoundSource {
    const { name, madeBy, asks, until, revalidate, keys, recheck } = this.#own;
    return {
      source: name,
      madeBy,
      asks: [...asks, ...untilAsked(until)],
      revalidate: copyOfRevalidation(revalidate),
      find: async (request, lookUps) => {
        const context = new Context(this.#clock, lookUps.aborting);
        return this.#findingOf('find', await this.#own.find(request, context, lookUps));
      },
      ...(keys !== undefined && {
        keys: {
          accepts: (key) => keys.accepts(key),
          find: async (key, lookUps) =>
            this.#findingOf('findByKey', await keys.find(key, new Context(this.#clock, lookUps.aborting), lookUps)),
        },
      }),
      ...(recheck !== undefined && { recheck: this.#recheck(recheck) }),
    };
  }

  #findingOf(member: string, found: Found): Finding {
    const { name, madeBy, recheck } = this.#own;
    const method = `${madeBy}: ${member}`;
    checkFinding(method, found);
    const { carrier, tokenId, issuedAt } = found;
    if (found.outcome === 'missing') return { user: undefined, authentication: nothingPresented };
    const expiresAt = copyOf(found.expiresAt);
    const isOver = expiresAt !== undefined && expiresAt.getTime() <= this.#clock.now();
    const outcome = found.outcome === 'ok' && isOver ? 'expired' : found.outcome;
    const terms = outcome === 'ok' ? { expiresAt, scopes: found.scopes } : {};
    const authentication = authenticationOf({ outcome, source: name, carrier, tokenId, ...terms });
    if (found.outcome !== 'ok') return { user: undefined, authentication };
    const user = checkedUser(found.user, method); // an expired one is looked at too: a mistake shows at once
    if (outcome !== 'ok') return { user: undefined, authentication };
    const again = recheck === undefined ? {} : { found, credentialId: tokenId ?? this.#nextId() };
    return { user, authentication, issuedAt: copyOf(issuedAt), ...again };
  }

  /** An id for what has none: such credentials are looked up again each by itself. */
  #nextId(): string {
    this.#unnamed += 1;
    return `${this.#own.name} ${this.#unnamed}`;
  }

  #recheck({ one, many }: NonNullable<OwnSource<Found>['recheck']>): Recheck {
    return {
      isBatched: many !== undefined,
      ask: async (credentials, aborting) => {
        const context = new Context(this.#clock, aborting);
        if (many !== undefined) {
          const answers = await many(
            credentials.map(({ found }) => found as Found),
            context,
          );
          this.#checkAnswers(answers, credentials.length);
          return new Map(credentials.map(({ id }, index) => [id, this.#standingOf('recheckMany', answers[index])]));
        }
        const standings = new Map<string, Standing | Error>();
        for (const { id, found } of credentials) {
          try {
            standings.set(id, this.#standingOf('recheck', await one?.(found as Found, context)));
          } catch (error) {
            standings.set(id, errorOf(error));
          }
        }
        return standings;
      },
    };
  }

  #checkAnswers(answers: unknown, length: number): asserts answers is readonly unknown[] {
    if (Array.isArray(answers) && answers.length === length) return;
    const got = Array.isArray(answers) ? `a list of ${answers.length}` : kindOf(answers);
    throw new TypeError(`${this.#own.madeBy}: recheckMany must return a list of ${length} answers, one for each in order, got ${got}`);
  }

  #standingOf(member: 'recheck' | 'recheckMany', answer: unknown): Standing | Error {
    const method = `${this.#own.madeBy}: ${member}`;
    try {
      checkFinding(method, answer);
      const { outcome, expiresAt, scopes } = answer;
      const user = outcome === 'ok' && answer.user != null ? checkedUser(answer.user, method) : undefined;
      return {
        user,
        expiresAt: copyOf(expiresAt),
        scopes: scopes == null ? undefined : [...scopes],
        endedBy: codesByOutcome[outcome],
        isPartial: true,
      };
    } catch (error) {
      return errorOf(error);
    }
  }
}
