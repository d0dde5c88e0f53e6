import type { IncomingMessage } from 'node:http';
import { aFunction, anything, checkedOptions, checkOption, type Rule, type Rules } from '../checked-options.js';
import type { FoundUser, UserLike } from '../users.js';
import { type CredentialSource, checkedCredentialSources } from './credentials.js';
import { aMoment } from './ending-source.js';
import { type Awaitable, ownSource, type SourceContext, type SourceFinding, type UserOf } from './own-source.js';
import { aRevalidation, type Revalidate } from './revalidation.js';
import type { UserSource } from './user-source.js';

/** Options of `defineSource`; `Found` is what its `find` returns. */
export interface SourceOptions<Found extends SourceFinding<UserLike>> {
  /**
   * The places where `find` looks for something secret. The values of their parameters are removed from what is handed on, and their
   * subprotocols are never echoed.
   *
   * @default none
   */
  readonly from?: CredentialSource | readonly CredentialSource[] | undefined;
  /**
   * Asks again whether a live channel may go on. It gets what `find` returned. With `ok` the channel goes on, and what the answer leaves
   * out stays as it was. Any other outcome ends the channel. A throw means that nobody can tell.
   *
   * @default what was found counts until it ends or is revoked
   */
  readonly recheck?: ((found: Found, context: SourceContext) => Awaitable<SourceFinding<UserLike>>) | undefined;
  /**
   * {@link recheck} for many channels at once: gives one answer for each, in their order. It is called instead of `recheck`.
   *
   * @default each by itself
   */
  readonly recheckMany?: ((found: readonly Found[], context: SourceContext) => Awaitable<readonly SourceFinding<UserLike>[]>) | undefined;
  /**
   * Does what `find` does, for a key that is not in a handshake: for `identifyKey` and `channel.reauthenticate`. It gets a string of 1 to
   * 8,192 characters that was not checked in any other way.
   *
   * @default there are no such keys
   */
  readonly findByKey?: ((key: string, context: SourceContext) => Awaitable<Found>) | undefined;
  /** How often live channels are looked up again. @default the server's `revalidate` */
  readonly revalidate?: Revalidate | undefined;
  /**
   * When this source ends. Before that moment, its clients cause a warning; from then on what it finds counts as expired.
   *
   * @default never
   */
  readonly until?: Date | undefined;
}

const rules: Rules<SourceOptions<SourceFinding<UserLike>>> = {
  from: anything, // checkedCredentialSources looks at them
  recheck: aFunction,
  recheckMany: aFunction,
  findByKey: aFunction,
  revalidate: aRevalidation,
  until: aMoment,
};

/** Names that mean something else. */
const reserved: readonly unknown[] = ['token', 'http-session', 'jwt', 'anonymous'];

/** What a source may be called. */
export const aSourceName: Rule = {
  must: 'a name of 1 to 64 printable ASCII characters, and none of token, http-session, jwt and anonymous',
  accepts: (value) => typeof value === 'string' && /^(?! )[\x20-\x7e]{1,64}(?<! )$/.test(value) && !reserved.includes(value),
};

const maxKeyLength = 8_192;

/**
 * Makes a source of users of your own, for `withUserFrom`, `identifyUser` and `identifyKey`: introspection, tokens with another digest,
 * headers that a gateway sets.
 *
 * @param name what `message.authentication.source` says: 1 to 64 printable ASCII characters, none of `token`, `http-session`, `jwt`,
 * `anonymous`.
 * @param find looks for the user of a request, and returns its result or a promise of it. A client's mistake is an outcome. A throw, or a
 * malformed result, means that nobody can tell: it is reported, and the handshake is refused with 503.
 * @throws {TypeError} when an argument or option is not what it must be.
 */
export function defineSource<Found extends SourceFinding<UserLike>>(
  name: string,
  find: (request: IncomingMessage, context: SourceContext) => Awaitable<Found>,
  options: SourceOptions<NoInfer<Found>> = {},
): UserSource<FoundUser<UserOf<Found>>> {
  checkOption('defineSource', 'name', name, aSourceName);
  const madeBy = `defineSource(${JSON.stringify(name)})`;
  checkOption(madeBy, 'find', find, aFunction);
  const { from = [], recheck, recheckMany, findByKey, revalidate, until } = checkedOptions<SourceOptions<Found>>(madeBy, options, rules);
  return ownSource<Found>({
    name,
    madeBy,
    credentials: Array.isArray(from) && from.length === 0 ? [] : checkedCredentialSources(madeBy, from),
    asks: [find],
    revalidate,
    until,
    find,
    ...(findByKey !== undefined && {
      keys: { accepts: (key) => key !== '' && key.length <= maxKeyLength, find: findByKey },
    }),
    ...((recheck !== undefined || recheckMany !== undefined) && { recheck: { one: recheck, many: recheckMany } }),
  });
}
