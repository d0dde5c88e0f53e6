import type { IncomingMessage } from 'node:http';
import { type HttpSessionReaderFixture, TestClock } from '../../entries/testing.js';
import type { HttpSession, HttpSessionReader } from '../../src/contracts/http-session-reader.js';
import { withDeadline } from '../../src/time/deadline.js';
import { httpSessionFixture } from './memory-fixtures.js';

/** What stands between a reader and its sessions, and fails as it is told to. */
export class Gate {
  readonly clock = new TestClock();
  state: 'open' | 'down' | 'hanging' = 'open';
  #waiting: (() => void)[] = [];

  answer(): void {
    this.state = 'open';
    for (const go of this.#waiting.splice(0)) go();
  }

  async pass<Result>(run: () => Promise<Result>): Promise<Result> {
    if (this.state === 'down') throw new Error('down');
    if (this.state === 'hanging') await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    return run();
  }
}

/** A reader that gives up by itself, and says so. */
export class FailsHonestly implements HttpSessionReader {
  readonly timeoutMs = 100;
  protected readonly gate: Gate;
  protected readonly inner: HttpSessionReader;

  constructor(gate: Gate, inner: HttpSessionReader) {
    this.gate = gate;
    this.inner = inner;
  }

  read(request: IncomingMessage): Promise<HttpSession | undefined> {
    return this.ask(() => this.inner.read(request));
  }

  readById(id: string): Promise<HttpSession | undefined> {
    return this.ask(() => this.inner.readById(id));
  }

  readByIds(ids: readonly string[]): Promise<ReadonlyMap<string, HttpSession>> {
    return this.bounded(async () => (await this.inner.readByIds?.(ids)) ?? new Map());
  }

  protected async ask(run: () => Promise<HttpSession | undefined>): Promise<HttpSession | undefined> {
    const session = await this.bounded(run);
    if (session === undefined) return undefined;
    const { save } = session;
    session.save = () => this.bounded(() => save.call(session));
    return session;
  }

  protected bounded<Result>(run: () => Promise<Result>): Promise<Result> {
    const deadline = { clock: this.gate.clock, ms: this.timeoutMs, onTimeout: () => new Error('late') };
    return withDeadline(() => this.gate.pass(run), deadline);
  }
}

export class IsAnonymousWhenDown extends FailsHonestly {
  override read(request: IncomingMessage): Promise<HttpSession | undefined> {
    return super.read(request).catch((error: Error) => {
      if (error.message !== 'down') throw error;
      return undefined;
    });
  }
}

export class EndsSessionsWhenDown extends FailsHonestly {
  override async readByIds(ids: readonly string[]): Promise<ReadonlyMap<string, HttpSession>> {
    return this.gate.state === 'down' ? new Map() : super.readByIds(ids);
  }
}

export class IsAnonymousWhenLate extends FailsHonestly {
  override read(request: IncomingMessage): Promise<HttpSession | undefined> {
    return super.read(request).catch((error: Error) => {
      if (error.message !== 'late') throw error;
      return undefined;
    });
  }
}

export class KeepsTheLateAnswer extends FailsHonestly {
  #isOver = false;

  protected override async ask(run: () => Promise<HttpSession | undefined>): Promise<HttpSession | undefined> {
    if (this.#isOver) return undefined;
    return super.ask(run).catch((error: unknown) => {
      this.#isOver = (error as Error).message === 'late';
      throw error;
    });
  }
}

/** Sessions in memory behind a gate. */
export function failingHttpSessionFixture(
  Reader: new (gate: Gate, inner: HttpSessionReader) => HttpSessionReader,
): HttpSessionReaderFixture {
  const gate = new Gate();
  const { sessions, ...fixture } = httpSessionFixture();
  const become = (state: Gate['state']) => () => {
    gate.state = state;
  };
  return {
    ...fixture,
    sessions: new Reader(gate, sessions),
    failures: { down: become('down'), hang: become('hanging'), giveUp: () => gate.clock.advance(200), answer: () => gate.answer() },
  };
}
