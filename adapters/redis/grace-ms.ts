/**
 * How long what has expired stays, in milliseconds. Whether it has expired is for the clock of whoever asks to say, and that of the server,
 * by which it is removed, may be ahead of it.
 */
export const graceMs = 60_000;
