/** How many look-ups of single ids are under way at once, where a repository takes no batches. */
export const maxInFlight = 8;
