import { spawn } from 'node:child_process';
import { once } from 'node:events';

/**
 * Starts a command in a process group of its own. `line(pattern)` waits until its output matches; `end()` ends the group, and waits.
 * Rejects when the process ends before, or after a minute.
 */
export function startProcess(command, args, options = {}) {
  console.log(`\n$ ${[command, ...args].join(' ')}`);
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true, ...options });
  const exited = once(child, 'exit');
  let output = '';
  const read = (data) => {
    output += data;
    child.emit('output');
  };
  child.stdout.setEncoding('utf8').on('data', read);
  child.stderr.setEncoding('utf8').on('data', read);

  const line = (pattern) =>
    new Promise((resolve, reject) => {
      const settle = (action, value) => {
        clearTimeout(timer);
        child.off('output', look).off('close', fail).off('error', fail);
        action(value);
      };
      const look = () => {
        const match = pattern.exec(output);
        if (match) settle(resolve, match);
      };
      const fail = () => settle(reject, new Error(`${command} ${args.join(' ')} never printed ${pattern}, but:\n${output}`));
      const timer = setTimeout(fail, 60_000);
      child.on('output', look).once('close', fail).once('error', fail);
      look();
    });
  const end = async () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM');
    } catch {
      // It has ended by itself.
    }
    await exited;
  };
  return { line, end };
}
