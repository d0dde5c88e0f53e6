import { createHook } from 'node:async_hooks';

/** How many promises `run` makes before it returns. */
export function promisesMadeBy(run: () => unknown): number {
  let made = 0;
  const hook = createHook({
    init(_id, kind) {
      if (kind === 'PROMISE') made++;
    },
  });
  hook.enable();
  try {
    run();
  } finally {
    hook.disable();
  }
  return made;
}
