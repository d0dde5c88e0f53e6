import { type Closed, WsClient } from '../support/ws-client.js';
import type { Browser, Process } from './moving-site.js';

/** What a visit came to: the source that found the visitor, or the status that refused it. */
export type Result = 'token' | 'http-session' | number;

export interface VisitorOptions {
  readonly name: string;
  readonly browser: Browser;
  /** Whether it stays until the server closes the channel; else it comes and goes. */
  readonly stays?: boolean;
  /** Whether its page asks for a token: when it is loaded, or once it is refused. */
  readonly asksForToken?: 'first' | 'when refused';
}

interface Visit {
  readonly phase: string;
  readonly result: Result;
}

/** Sends all visitors where the site is, as a load balancer does, and lets them return again and again. */
export class Load {
  readonly visitors: readonly Visitor[];
  #process: Process | undefined;
  #phase = '';
  #waiting: (() => void)[] = [];
  #isOver = false;

  constructor(visitors: readonly VisitorOptions[]) {
    this.visitors = visitors.map((options) => new Visitor(options, this));
  }

  get process(): Process | undefined {
    return this.#isOver ? undefined : this.#process;
  }

  /** What the site is doing; visits that began in another phase than they ended count for neither. */
  get phase(): string {
    return this.#phase;
  }

  /** From now on the visitors come to `process`. */
  enter(phase: string, process: Process): void {
    const isFirst = this.#process === undefined;
    this.#phase = phase;
    this.#process = process;
    for (const visitor of this.visitors) {
      if (isFirst) visitor.start();
      else visitor.noteStay();
    }
    this.wake();
  }

  /** Sends nobody any more; resolves when all are gone. */
  async end(): Promise<void> {
    this.#isOver = true;
    this.wake();
    await Promise.all(this.visitors.map((visitor) => visitor.gone));
  }

  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }

  /** Resolves when `check` holds, looked at whenever a visitor got on. */
  async until(check: () => boolean): Promise<void> {
    while (!check()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves when every visitor has come at least `times` in this phase, or is there and stays. */
  everybodyCame(times = 2): Promise<void> {
    return this.until(() => this.visitors.every((visitor) => visitor.hasCome(times)));
  }
}

/** A client that returns whenever it was sent away. */
export class Visitor {
  readonly name: string;
  readonly stays: boolean;
  /** How its channels were closed, where it stays. */
  readonly closed: Closed[] = [];
  gone: Promise<void> = Promise.resolve();
  readonly #load: Load;
  readonly #options: VisitorOptions;
  readonly #visits: Visit[] = [];
  #isAt: Process | undefined;
  #by: Result | undefined;

  constructor(options: VisitorOptions, load: Load) {
    this.name = options.name;
    this.stays = options.stays ?? false;
    this.#options = options;
    this.#load = load;
  }

  start(): void {
    this.gone = this.#run();
  }

  /** All results in a phase, each once. */
  resultsIn(phase: string): Result[] {
    return [...new Set(this.#visits.filter((visit) => visit.phase === phase).map(({ result }) => result))];
  }

  /** Whether it stays with the process that serves the site now. */
  get isThere(): boolean {
    return this.#isAt !== undefined && this.#isAt === this.#load.process;
  }

  /** Whether it has come so often in this phase, or stays. */
  hasCome(times: number): boolean {
    const { phase } = this.#load;
    return this.isThere || this.#visits.filter((visit) => visit.phase === phase).length >= times;
  }

  /** Whoever stays into a phase is there by what it came by. */
  noteStay(): void {
    if (this.isThere && this.#by !== undefined) this.#note(this.#load.phase, this.#by);
  }

  async #run(): Promise<void> {
    for (let { process } = this.#load; process !== undefined; { process } = this.#load) {
      try {
        const { phase } = this.#load;
        if (this.#options.asksForToken === 'first') await this.#askForToken(process);
        const client = await WsClient.connect(process.port, { cookie: this.#options.browser.cookie });
        if (client.refused === undefined) await this.#talk(client, process, phase);
        else if (client.refused.status !== 503) await this.#beRefused(client.refused.status, process, phase);
      } catch {
        // nobody listens there any more, or the channel was closed: it comes back
      }
    }
  }

  async #talk(client: WsClient, process: Process, phase: string): Promise<void> {
    const { by } = (await client.nextJson()) as { by: Result };
    this.#note(phase, by);
    this.#by = by;
    if (this.stays) {
      this.#isAt = process;
      this.#load.wake();
      this.closed.push(await client.closed());
      this.#isAt = undefined;
      this.#load.wake();
    } else {
      client.send('anybody here?');
      await client.next();
      await client.close();
      await this.#rest(phase);
    }
  }

  async #beRefused(status: number, process: Process, phase: string): Promise<void> {
    this.#note(phase, status);
    if (this.#options.asksForToken === 'when refused') await this.#askForToken(process);
    else await this.#rest(phase);
  }

  /** Nobody knocks without end: twice, then again when something has changed. */
  async #rest(phase: string): Promise<void> {
    if (this.hasCome(2)) await this.#load.until(() => this.#load.phase !== phase || this.#load.process === undefined);
  }

  #note(phase: string, result: Result): void {
    if (this.#load.phase !== phase) return;
    this.#visits.push({ phase, result });
    this.#load.wake();
  }

  async #askForToken(process: Process): Promise<void> {
    const { browser } = this.#options;
    if (!browser.has('key')) await browser.post(process, '/token');
  }
}
