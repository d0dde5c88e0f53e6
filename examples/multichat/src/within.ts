/** How long an operation on the database may take, in milliseconds. */
export const patienceMs: number = 3_000;

/** What `operation` resolves to; rejects after three seconds, whether or not the driver has given up by then. */
export async function within<Result>(operation: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const timeUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`MongoDB did not answer within ${patienceMs} ms.`)), patienceMs);
  });
  try {
    return await Promise.race([operation, timeUp]);
  } finally {
    clearTimeout(timer);
  }
}
