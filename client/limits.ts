/** The `readyState` of a socket that can send. */
export const open = 1;
/** Of restarts, and of servers with trouble of their own: what all clients are spread over, and what they wait at least. */
export const soonMs = 3_000;
/** Who renewed so lately, and is refused, will not be let in by another renewal. */
export const renewalCountsMs = 60_000;
/** How often a server may fail without a good connection in between. */
export const maxServerErrors = 10;
/** What a peer that does not answer a close gets before its line is dropped, where it can be. */
export const closeMs = 2_000;
