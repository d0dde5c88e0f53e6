import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** The chat in a process of its own, as `npm run build` has built it and `npm start` runs it. */
export interface ChatProcess {
  readonly url: string;
  readonly isRunning: boolean;
  /** What it has said of problems so far. */
  readonly problems: readonly string[];
  /** `SIGKILL`, or another signal; resolves to the exit code when it is gone. */
  kill(signal?: NodeJS.Signals): Promise<number | null>;
}

const running = new Set<ChildProcess>();

/** Starts the chat on the database at `mongodbUrl` and a free port. */
export async function startChat(mongodbUrl: string, ...options: string[]): Promise<ChatProcess> {
  return startChatAt(0, mongodbUrl, ...options);
}

/** The same on a given port. */
export async function startChatAt(port: number, mongodbUrl: string, ...options: string[]): Promise<ChatProcess> {
  const child = spawn(process.execPath, [main, ...options], {
    env: { ...process.env, PORT: String(port), HOST: '127.0.0.1', PUBLIC_ORIGIN: '', MONGODB_URL: mongodbUrl },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const gone = once(child, 'exit').then(([code]: (number | null)[]) => {
    running.delete(child);
    return code ?? null;
  });
  const problems: string[] = [];
  createInterface(child.stderr).on('line', (line) => problems.push(line));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      const [, found] = /^MultiChat is on (\S+)$/.exec(line) ?? [];
      if (found !== undefined) resolve(found);
    });
    void gone.then((code) => reject(new Error(`The chat ended with ${code}: ${problems.join('\n')}`)));
  });
  return {
    url,
    problems,
    get isRunning() {
      return running.has(child);
    },
    async kill(signal = 'SIGKILL') {
      child.kill(signal);
      return gone;
    },
  };
}

/** How a chat ends that does not start: its exit code, and all that it said. */
export async function endOf(
  options: readonly string[],
  environment: NodeJS.ProcessEnv = {},
): Promise<{ code: number | null; said: string }> {
  const child = spawn(process.execPath, [main, ...options], {
    env: { ...process.env, HOST: '127.0.0.1', PUBLIC_ORIGIN: '', MONGODB_URL: '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const [code] = (await once(child, 'close')) as [number | null];
  running.delete(child);
  return { code, said };
}

/** Kills all that is still running. */
export async function killAll(): Promise<void> {
  for (const child of [...running]) {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
}
