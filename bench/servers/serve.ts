import type { Server } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** What the process that measures asks of a server. */
export type Question = 'cpu' | 'rss' | 'settle' | 'stall';

/** What a server has to say: that it listens, or the answer to the one question that is open. */
export type Report = { readonly port: number } | { readonly answer: number };

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/**
 * Listens on a free port of 127.0.0.1 and answers the process that started this one, until that is gone.
 *
 * @param settled finishes what the server does in the background.
 */
export function serve(server: Server, settled?: () => Promise<void>): void {
  const report = (said: Report): void => {
    process.send?.(said);
  };
  const stalls = monitorEventLoopDelay({ resolution: 1 });
  const answers: Record<Question, () => Promise<number>> = {
    cpu: async () => {
      const { user, system } = process.cpuUsage();
      return user + system;
    },
    rss: memoryInUse,
    // begins to measure with the first question
    stall: async () => {
      const longest = stalls.enable() ? 0 : stalls.max / 1e6;
      stalls.reset();
      return longest;
    },
    settle: async () => {
      while ((await connectionsOf(server)) > 0) await delay(5);
      await settled?.();
      return 0;
    },
  };
  process.on('message', (question: Question) => void answers[question]().then((answer) => report({ answer })));
  process.on('disconnect', () => process.exit());
  // Node's own 511 overflows where thousands connect at once: their first packets would be sent again a second later.
  server.listen({ port: 0, host: '127.0.0.1', backlog: 8_192 }, () => report({ port: (server.address() as { port: number }).port }));
}

/** Resident bytes once nothing is left to collect. */
async function memoryInUse(): Promise<number> {
  for (let pass = 0; pass < 4; pass += 1) {
    collectGarbage();
    await delay(10); // for what is freed in the background
  }
  return process.memoryUsage.rss();
}

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error ? reject(error) : resolve(count)));
  });
}
