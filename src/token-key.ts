import { randomBytes } from 'node:crypto';

/** A new token key: 40 hexadecimal digits of 160 random bits, the shape that clients of Django REST framework handle already. */
export function makeTokenKey(): string {
  return randomBytes(20).toString('hex');
}
