/** Whether a handshake may be refused with `status`: that of an error (RFC 9110, sections 15.5 and 15.6). */
export function isRefusalStatus(status: unknown): status is number {
  return typeof status === 'number' && Number.isInteger(status) && status >= 400 && status <= 599;
}
