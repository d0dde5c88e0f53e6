import { aString, checkOption, oneOf } from '../checked-options.js';
import { type CredentialSource, cookie } from './credentials.js';

/** The prefixes of a cookie's name with which browsers hold a cookie to its host (draft-ietf-httpbis-rfc6265bis, section 4.1.3). */
const prefixes = ['__Host-', '__Host-Http-'] as const;

/** A prefix with which browsers hold a cookie to its host. */
export type HostCookiePrefix = (typeof prefixes)[number];

/**
 * A token in a cookie whose name browsers protect: they take it only over HTTPS, `Secure`, and for exactly this host, so no sibling domain
 * can plant one. Use it for `from`, and for the handlers that set it; {@link cookie} is for development over plain HTTP.
 *
 * @param name what follows the prefix. @default 'key'
 * @param prefix with `'__Host-Http-'`, browsers that know it also refuse the cookie from scripts; others treat it as
 * `'__Host-'`. @default '__Host-'
 * @throws {TypeError} when either is not what it must be.
 */
export function hostCookie(name = 'key', prefix: HostCookiePrefix = '__Host-'): CredentialSource {
  checkOption('hostCookie', 'prefix', prefix, oneOf(prefixes));
  checkOption('hostCookie', 'name', name, aString);
  return cookie(`${prefix}${name}`);
}
