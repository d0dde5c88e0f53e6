import type { RevocationFeedFixture } from '../../entries/testing.js';
import type { Revocation, RevocationFeed } from '../../src/contracts/revocation-feed.js';
import { checkedRevocation } from '../../src/feeds/checked-revocation.js';
import { MemoryRevocationFeed } from '../../src/feeds/memory-revocation-feed.js';
import { tokenIdOf } from '../../src/token-id.js';

type On = (revocation: Revocation) => void;

/** Feeds that can be cut off: what is told meanwhile is lost, and subscribers are told of a gap. */
export class Interruptible implements RevocationFeed {
  protected readonly inner: MemoryRevocationFeed = new MemoryRevocationFeed();
  protected readonly gaps: Set<() => void> = new Set();
  protected isCut = false;

  async subscribe(on: On, onGap: () => void): Promise<AsyncDisposable> {
    const inner = await this.inner.subscribe(on);
    this.gaps.add(onGap);
    return {
      [Symbol.asyncDispose]: async () => {
        this.gaps.delete(onGap);
        await inner[Symbol.asyncDispose]();
      },
    };
  }

  async publish(revocation: Revocation): Promise<void> {
    const checked = checkedRevocation('Interruptible.publish', revocation);
    if (!this.isCut) this.tell(checked);
  }

  protected tell(revocation: Revocation): void {
    this.inner.tell(revocation);
  }

  cut(): void {
    this.isCut = true;
  }

  restore(): void {
    this.isCut = false;
    for (const onGap of this.gaps) onGap();
  }

  loggedIn(): void {}
}

export class LosesOneOfTen extends Interruptible {
  #count = 0;

  override async publish(revocation: Revocation): Promise<void> {
    this.#count += 1;
    if (this.#count % 10 !== 0) await super.publish(revocation);
  }
}

export class TakesAnyRevocation extends Interruptible {
  override async publish(revocation: Revocation): Promise<void> {
    if (!this.isCut) this.tell(revocation);
  }
}

export class ForgetsGaps extends Interruptible {
  override restore(): void {
    this.isCut = false;
  }
}

/** Tells of a gap when it is cut off, and not of what is lost from then on. */
export class TellsGapsWhenCut extends ForgetsGaps {
  override cut(): void {
    super.cut();
    for (const onGap of this.gaps) onGap();
  }
}

/** Tells of a gap a moment before it hears again. */
export class TellsGapsTooEarly extends Interruptible {
  override restore(): void {
    for (const onGap of this.gaps) onGap();
    this.isCut = false;
  }
}

export class StaysCutOff extends Interruptible {
  override restore(): void {
    for (const onGap of this.gaps) onGap();
  }
}

export class TellsTheFirstOnly extends Interruptible {
  #has = false;

  override async subscribe(on: On, onGap: () => void): Promise<AsyncDisposable> {
    const isFirst = !this.#has;
    this.#has = true;
    return super.subscribe(isFirst ? on : () => undefined, onGap);
  }
}

export class StopsAtThrows extends Interruptible {
  readonly #ons = new Set<On>();

  override async subscribe(on: On, onGap: () => void): Promise<AsyncDisposable> {
    this.#ons.add(on);
    this.gaps.add(onGap);
    return { [Symbol.asyncDispose]: async () => void this.#ons.delete(on) };
  }

  protected override tell(revocation: Revocation): void {
    try {
      for (const on of this.#ons) on(revocation);
    } catch {
      // the rest hears nothing
    }
  }
}

export class TellsTheEnded extends Interruptible {
  override async subscribe(on: On, onGap: () => void): Promise<AsyncDisposable> {
    await super.subscribe(on, onGap);
    return { [Symbol.asyncDispose]: async () => undefined };
  }
}

export class WakesAtLogIns extends Interruptible {
  override loggedIn(): void {
    this.inner.tell({ userId: 'anybody', hint: true });
  }
}

export class DropsHints extends Interruptible {
  override async publish({ hint: _, ...revocation }: Revocation): Promise<void> {
    await super.publish(revocation as Revocation);
  }
}

/** What ends things for a feed that knows only what it is told. */
export function feedFixture(Feed: typeof Interruptible): RevocationFeedFixture {
  const feed = new Feed();
  let count = 0;
  const next = (): string => {
    count += 1;
    return `something-${count}`;
  };
  const end = async (revocation: Revocation): Promise<void> => feed.publish(revocation);
  return {
    feed,
    timeoutMs: 20,
    logIn: () => feed.loggedIn(),
    async revokeToken() {
      const tokenId = tokenIdOf(next().padStart(40, '0'));
      await end({ tokenId });
      return tokenId;
    },
    async deleteUser() {
      const userId = next();
      await end({ userId });
      return userId;
    },
    async destroyHttpSession() {
      const httpSessionId = next();
      await end({ httpSessionId });
      return httpSessionId;
    },
    async interrupt(meanwhile) {
      feed.cut();
      await meanwhile();
      feed.restore();
    },
  };
}
