import { setImmediate as nextTurn } from 'node:timers/promises';

/** Collects the exceptions and rejections that nobody catches; what it returns ends that, and gives them. */
export function collectUncaught(): () => Promise<readonly unknown[]> {
  const uncaught: unknown[] = [];
  const note = (error: unknown): void => void uncaught.push(error);
  process.on('unhandledRejection', note);
  process.on('uncaughtException', note);
  return async () => {
    for (let turn = 0; turn < 3; turn += 1) await nextTurn();
    process.off('unhandledRejection', note);
    process.off('uncaughtException', note);
    return uncaught;
  };
}

/** The exceptions that nobody catches while `run` is at work; the process goes on, and no test runner hears of them. */
export async function uncaughtIn(run: () => Promise<void>): Promise<readonly unknown[]> {
  const uncaught: unknown[] = [];
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', (error) => void uncaught.push(error));
  try {
    await run();
  } finally {
    process.removeAllListeners('uncaughtException');
    for (const listener of listeners) process.on('uncaughtException', listener);
  }
  return uncaught;
}
