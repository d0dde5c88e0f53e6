/** Whether `error` is the server's answer, of this kind: a word in capitals that it begins with. */
export function isReplyOf(error: unknown, kind: string): boolean {
  return error instanceof Error && error.message.startsWith(kind);
}
