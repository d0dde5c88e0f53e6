import { identified as session } from './identified-by-session.js';
import { identified as token } from './identified-by-token.js';

/** How members are recognized: by a token in the cookie `key`, or by the web site's session. The wrapper's name is the whole difference. */
export const identified = { token, session };

/** What `--auth` may be. */
export type Auth = keyof typeof identified;
