/** How an error names what it got, without showing it: it may be a secret. */
export function kindOf(value: unknown): string {
  return value === null ? 'null' : typeof value;
}
