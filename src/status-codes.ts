/** Whether a handshake may be refused with `status`: that of an error (RFC 9110, sections 15.5 and 15.6). */
export function isRefusalStatus(status: unknown): status is number {
  return typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 599;
}

/** Whether a server may send `code` in a close frame (RFC 6455, section 7.4.1, and the ranges of 7.4.2). */
export function isCloseCode(code: unknown): code is number {
  if (typeof code !== 'number' || !Number.isInteger(code)) return false;
  if (code >= 1000 && code <= 1014) return code !== 1004 && code !== 1005 && code !== 1006;
  return code >= 3000 && code <= 4999;
}

/** Longest reason that fits a close frame (RFC 6455, section 5.5: 125 bytes less the code). */
const maxReasonBytes = 123;

/** `reason`, cut at 123 bytes of UTF-8 and never inside a character. */
export function cutReason(reason: string): string {
  // a character takes a byte at least: no more of a long reason is looked at
  const bytes = Buffer.from(reason.length > maxReasonBytes ? reason.slice(0, maxReasonBytes + 1) : reason);
  if (bytes.length <= maxReasonBytes) return reason;
  let end = maxReasonBytes;
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
