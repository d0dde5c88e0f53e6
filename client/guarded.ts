/** Calls a function of the application's; what it throws is told like any uncaught error, and harms nobody here. */
export function guarded<Result>(run: () => Result): Result | undefined {
  try {
    return run();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
  return undefined;
}
