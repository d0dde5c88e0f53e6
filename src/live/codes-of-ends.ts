import type { Identification } from '../identity/identification.js';
import type { IdentityKeys } from '../identity/user-source.js';
import type { ErrorCode } from '../outcomes.js';

/** How a channel ends whose token, user or HTTP session has ended. */
export const codesByKey: Readonly<Record<keyof IdentityKeys, ErrorCode>> = {
  tokenId: 'ERR_TOKEN_REVOKED',
  userId: 'ERR_USER_INACTIVE',
  httpSessionId: 'ERR_HTTP_SESSION_ENDED',
};

/** How a channel ends whose credential is gone, or was issued too early. */
export function codeOfEnd({ isOfToken }: Identification): ErrorCode {
  return codesByKey[isOfToken ? 'tokenId' : 'httpSessionId'];
}

/** How a channel ends whose credential has run out. */
export function codeOfExpiry({ isOfHttpSession }: Identification): ErrorCode {
  return isOfHttpSession ? 'ERR_HTTP_SESSION_ENDED' : 'ERR_TOKEN_EXPIRED';
}
