import { parseCookie } from 'cookie';

/**
 * The value of the cookie that is called exactly `name`; `undefined` where there is none, or two of different values. Each part of the
 * header is parsed by itself: parsed together, the first of several would hide the others.
 */
export function cookieValue(header: string | undefined, name: string): string | undefined {
  const values = new Set<string>();
  for (const part of (header ?? '').split(';')) {
    const value = parseCookie(part)[name];
    if (value !== undefined) values.add(value);
  }
  const [value] = values;
  return values.size === 1 ? value : undefined;
}
