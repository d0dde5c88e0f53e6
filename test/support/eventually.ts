import { vi } from 'vitest';

/** Waits until `check` passes, however busy the machine is; rejects with its last error when that never happens. */
export function eventually<Result>(check: () => Result | Promise<Result>): Promise<Result> {
  return vi.waitFor(check, { timeout: 15_000, interval: 20 });
}
