import { createHmac } from 'node:crypto';

/** What the site of the peer with express-session signs its cookies with. */
export const signingSecret = 'keyboard cat';

/** The cookie of the session with `id`, as express-session signs it. */
export function signedCookie(id: string): string {
  const signature = createHmac('sha256', signingSecret).update(id).digest('base64').replace(/=+$/, '');
  return encodeURIComponent(`s:${id}.${signature}`);
}
