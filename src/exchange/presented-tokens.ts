import { type CredentialSource, cookieValues, findCredential } from '../identity/credentials.js';
import type { BoundSource } from '../identity/user-source.js';
import { digestOf, isTokenKey, type TokenId } from '../token-id.js';
import type { Exchange } from './exchange-route.js';

/** So many of them are looked for: browsers keep one or two, and each is a question to a database. */
const maxTokens = 8;

/**
 * The ids of all tokens that a request brings to `sources`, not only of the one that counts: those in further places, and those in cookies
 * of one name, of which none counts. Cookies that another site's page may have had sent, beside a token of its own, are left out.
 */
export function presentedTokens({ request, areCookiesMeant }: Exchange, sources: readonly BoundSource[]): readonly TokenId[] {
  const places = sources.flatMap(({ places: ofTokens = [] }) => ofTokens);
  const counting = places.filter(({ carrier }) => areCookiesMeant || carrier !== 'cookie');
  const keys = new Set(counting.flatMap((place) => keysAt(place, request)));
  return Array.from(keys).slice(0, maxTokens).map(digestOf);
}

function keysAt(place: CredentialSource, request: Exchange['request']): readonly string[] {
  if (place.presents === 'ticket') return [];
  const { presented } = findCredential(request, [place]);
  if (presented.kind === 'key') return [presented.key];
  return place.carrier === 'cookie' ? cookieValues(request.headers.cookie, place.name).filter(isTokenKey) : [];
}
