/** Codes with which MongoDB answers, by the names that it gives them. */
export const serverCodes = {
  unauthorized: 13,
  namespaceNotFound: 26,
  indexOptionsConflict: 85,
  indexKeySpecsConflict: 86,
  commandNotSupportedOnView: 166,
  duplicateKey: 11_000,
  /** A change stream is asked for without a replica set. It has no name for this one. */
  noReplicaSet: 40_573,
} as const;

/** The code with which the server has answered; `undefined` where it has not. Our own time-outs have codes too, which are none of its. */
export function serverCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || error instanceof DOMException) return undefined;
  const code: unknown = Reflect.get(error, 'code');
  return typeof code === 'number' ? code : undefined;
}
