import type { BroadcasterFixture } from '../../entries/testing.js';
import type { Broadcaster } from '../../src/contracts/broadcaster.js';
import { checkBroadcast } from '../../src/feeds/check-broadcast.js';
import { Subscribers } from '../../src/feeds/subscribers.js';

type On = (group: string, data: string | Uint8Array) => void;
type Data = string | Uint8Array;

/** What lies between the nodes: one that is cut carries nothing. */
export class Wire {
  readonly nodes: Dutiful[] = [];
  isCut = false;
}

/** A node that keeps its word: what is published while the wire is cut is lost, and all are told of a gap. */
export class Dutiful implements Broadcaster {
  protected readonly wire: Wire;
  protected readonly subscribers: Subscribers<[group: string, data: string | Uint8Array]> = new Subscribers<
    [group: string, data: string | Uint8Array]
  >();

  constructor(wire: Wire) {
    this.wire = wire;
    wire.nodes.push(this);
  }

  async publish(group: string, data: Data): Promise<void> {
    checkBroadcast('publish', group, data);
    if (this.wire.isCut) throw new Error('There is no way.');
    this.carry(group, typeof data === 'string' ? data : Uint8Array.from(data));
  }

  protected carry(group: string, data: Data): void {
    for (const node of this.wire.nodes) if (node !== this) node.hear(group, data);
  }

  hear(group: string, data: Data): void {
    this.subscribers.tell(group, data);
  }

  subscribe(on: On, onGap: () => void): Promise<AsyncDisposable> {
    return this.subscribers.subscribe('subscribe', { on, onGap });
  }

  cutOff(): void {}

  restored(): void {
    this.subscribers.tellGap();
  }
}

export class HearsItself extends Dutiful {
  protected override carry(group: string, data: Data): void {
    for (const node of this.wire.nodes) node.hear(group, data);
  }
}

export class DeliversTwice extends Dutiful {
  protected override carry(group: string, data: Data): void {
    super.carry(group, data);
    super.carry(group, data);
  }
}

export class LosesOneOfTen extends Dutiful {
  #count = 0;

  protected override carry(group: string, data: Data): void {
    this.#count += 1;
    if (this.#count % 10 !== 0) super.carry(group, data);
  }
}

/** What is published at once overtakes. */
export class TurnsTheOrderRound extends Dutiful {
  #waiting: (() => void)[] = [];

  protected override carry(group: string, data: Data): void {
    if (this.#waiting.length === 0) {
      queueMicrotask(() => {
        for (const send of this.#waiting.splice(0).toReversed()) send();
      });
    }
    this.#waiting.push(() => super.carry(group, data));
  }
}

/** What it sends is what the caller's bytes have become. */
export class SendsLater extends Dutiful {
  override async publish(group: string, data: Data): Promise<void> {
    checkBroadcast('publish', group, data);
    await Promise.resolve();
    await super.publish(group, data);
  }
}

/** Forgets that bytes may be a part of a buffer. */
export class SendsTheWholeBuffer extends Dutiful {
  override publish(group: string, data: Data): Promise<void> {
    return super.publish(group, data instanceof Uint8Array ? new Uint8Array(data.buffer) : data);
  }
}

export class MakesTextOfBytes extends Dutiful {
  override hear(group: string, data: Data): void {
    super.hear(group, Buffer.from(data).toString());
  }
}

export class KnowsNoCase extends Dutiful {
  override hear(group: string, data: Data): void {
    super.hear(group.toLowerCase(), data);
  }
}

export class TakesAnyGroup extends Dutiful {
  override async publish(group: string, data: Data): Promise<void> {
    checkBroadcast('publish', group || 'none', data);
    if (!this.wire.isCut) this.carry(group, data);
  }
}

export class ThrowsAtOnce extends Dutiful {
  override publish(group: string, data: Data): Promise<void> {
    checkBroadcast('publish', group, data);
    return super.publish(group, data);
  }
}

export class StopsAtThrows extends Dutiful {
  readonly #ons = new Set<On>();

  override async subscribe(on: On, onGap: () => void): Promise<AsyncDisposable> {
    const subscription = await super.subscribe(on, onGap);
    this.#ons.add(on);
    return {
      [Symbol.asyncDispose]: async () => {
        this.#ons.delete(on);
        await subscription[Symbol.asyncDispose]();
      },
    };
  }

  override hear(group: string, data: Data): void {
    try {
      for (const on of this.#ons) on(group, data);
    } catch {
      // the rest hears nothing
    }
  }
}

export class TellsTheEnded extends Dutiful {
  override async subscribe(on: On, onGap: () => void): Promise<AsyncDisposable> {
    await super.subscribe(on, onGap);
    return { [Symbol.asyncDispose]: async () => undefined };
  }
}

export class EndsAllWithOne extends Dutiful {
  #isOver = false;

  override async subscribe(on: On, onGap: () => void): Promise<AsyncDisposable> {
    await super.subscribe(on, onGap);
    return {
      [Symbol.asyncDispose]: async () => {
        this.#isOver = true;
      },
    };
  }

  override hear(group: string, data: Data): void {
    if (!this.#isOver) super.hear(group, data);
  }
}

/** Its subscription stands a moment after it has said so. */
export class StandsTooEarly extends Dutiful {
  override async subscribe(on: On, onGap: () => void): Promise<AsyncDisposable> {
    let isThere = false;
    setImmediate(() => {
      isThere = true;
    });
    const late: On = (group, data) => isThere && on(group, data);
    return super.subscribe(typeof on === 'function' ? late : on, onGap);
  }
}

/** Tells of a gap when the wire is cut, and not of what is lost from then on. */
export class TellsGapsWhenCut extends Dutiful {
  override cutOff(): void {
    this.subscribers.tellGap();
  }

  override restored(): void {}
}

/** Tells of a gap a moment before it hears again. */
export class TellsGapsTooEarly extends Dutiful {
  #isBack = true;

  override restored(): void {
    this.#isBack = false;
    super.restored();
    this.#isBack = true;
  }

  override hear(group: string, data: Data): void {
    if (this.#isBack) super.hear(group, data);
  }
}

export class ForgetsGaps extends Dutiful {
  override restored(): void {}
}

export class CriesWolf extends Dutiful {
  override hear(group: string, data: Data): void {
    this.subscribers.tellGap();
    super.hear(group, data);
  }
}

/** Sends again, when it has come back, what it had sent before. */
export class SendsAgain extends Dutiful {
  #last: readonly [string, Data] | undefined;

  protected override carry(group: string, data: Data): void {
    this.#last = [group, data];
    super.carry(group, data);
  }

  override restored(): void {
    super.restored();
    if (this.#last !== undefined) super.carry(...this.#last);
  }
}

export class StaysCutOff extends Dutiful {
  #isOff = false;

  override restored(): void {
    this.#isOff = true;
    super.restored();
  }

  override hear(group: string, data: Data): void {
    if (!this.#isOff) super.hear(group, data);
  }
}

export function broadcasterFixture(Node: new (wire: Wire) => Dutiful): BroadcasterFixture {
  const wire = new Wire();
  return {
    nodes: [new Node(wire), new Node(wire), new Node(wire)],
    timeoutMs: 20,
    async interrupt(meanwhile) {
      wire.isCut = true;
      for (const node of wire.nodes) node.cutOff();
      await meanwhile();
      wire.isCut = false;
      for (const node of wire.nodes) node.restored();
    },
  };
}
