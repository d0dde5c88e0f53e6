/** An answer over HTTP, as `fetch` gives it, where what was thrown is one. */
interface Answer {
  readonly status?: unknown;
  readonly headers?: { get?(name: string): string | null | undefined };
}

/** Redirections and errors of the client (RFC 9110, sections 15.4 and 15.5), but for those that pass: 408, 425 and 429. */
const finalStatus = /^(3|4(?!08|25|29))..$/;

/**
 * What it means that a credential could not be had, or a handshake was refused: another credential is needed, the same again would end the
 * same, or how many milliseconds to wait at least.
 */
export function failureOf(error: unknown): 'renew' | 'stop' | number {
  const { headers, status } = (error ?? {}) as Answer;
  if (status === 401) return 'renew';
  if (finalStatus.test(String(status))) return 'stop';
  const after = headers?.get?.('retry-after') ?? '';
  return Math.max(0, Number(after) * 1000 || Date.parse(after) - Date.now() || 0);
}
