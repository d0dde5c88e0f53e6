import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import { freePort } from '../../../../test/support/free-port.js';

/** A `nats-server` on a port of its own, where it can be stopped and started again. */
export class NatsServer {
  readonly #port: number;
  #process: ChildProcess | undefined;

  private constructor(port: number) {
    this.#port = port;
  }

  static async start(...args: readonly string[]): Promise<NatsServer> {
    const server = new NatsServer(await freePort());
    await server.start(...args);
    return server;
  }

  /** @throws {Error} saying what to install, where there is no server. */
  async start(...args: readonly string[]): Promise<void> {
    const started = spawn('nats-server', ['--addr', '127.0.0.1', '--port', String(this.#port), ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = started;
    await new Promise<void>((resolve, reject) => {
      started.once('error', (cause) => reject(new Error('This test needs nats-server: install the package of this name.', { cause })));
      started.stderr.on('data', (line: Buffer) => line.includes('Server is ready') && resolve());
    });
  }

  /** It reads its configuration again. */
  reload(): void {
    this.#process?.kill('SIGHUP');
  }

  async stop(): Promise<void> {
    const stopped = this.#process;
    this.#process = undefined;
    if (stopped === undefined) return;
    const gone = once(stopped, 'exit');
    stopped.kill('SIGKILL');
    await gone;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** A connection that comes back after each outage. */
  connect(options: NodeConnectionOptions = {}): Promise<NatsConnection> {
    return connect({ servers: `127.0.0.1:${this.#port}`, noEcho: true, reconnectTimeWait: 20, maxReconnectAttempts: -1, ...options });
  }
}
