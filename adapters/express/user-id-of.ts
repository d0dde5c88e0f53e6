import { kindOf } from '../../src/kind-of.js';
import type { SessionValues } from './session-values.js';

const owner = 'ExpressSessionReader';

/**
 * Whose session it is: passport's `session.passport.user`, then `session.userId`.
 *
 * @throws {TypeError} when what stands there is no id.
 */
export function defaultUserId(session: SessionValues): string | undefined {
  const { passport } = session;
  const user: unknown =
    typeof passport === 'object' && passport !== null && Object.hasOwn(passport, 'user') ? Reflect.get(passport, 'user') : undefined;
  return checkedUserId('session.passport.user', user) ?? checkedUserId('session.userId', session.userId);
}

/**
 * `value` as the id of a user; integers, which many databases number their users with, as text. `undefined`, `null`, `false` and the empty
 * string are nobody.
 *
 * @throws {TypeError} when it is anything else.
 */
export function checkedUserId(where: string, value: unknown): string | undefined {
  if (value === undefined || value === null || value === false || value === '') return undefined;
  if (typeof value === 'string') return value;
  if (Number.isSafeInteger(value)) return String(value);
  throw new TypeError(
    `${owner}: ${where} must be a string or a safe integer, got ${kindOf(value)}; the option userId says where the id is: ` +
      'userId: (session) => …',
  );
}
