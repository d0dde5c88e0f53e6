import { randomBytes } from 'node:crypto';

/** Numbers what one sender sends, so that who hears it can tell what is missing. What could not be sent has a number, too: it is missed. */
export class SentNumbers {
  /** Who sends: 32 hexadecimal digits, which no other sender has. */
  readonly sender: string = randomBytes(16).toString('hex');
  #last = 0;
  /** What is sent from this number on says that something was lost; infinity where nothing was. */
  #tellingFrom = Number.POSITIVE_INFINITY;

  next(): number {
    this.#last += 1;
    return this.#last;
  }

  /**
   * Whether something was lost of which not all have been told, as who has heard nothing of this sender yet cannot tell it from numbers.
   */
  get hasLoss(): boolean {
    return this.#tellingFrom !== Number.POSITIVE_INFINITY;
  }

  /** Something that had a number may not have arrived. */
  failed(): void {
    this.#tellingFrom = this.#last + 1;
  }

  arrived(number: number): void {
    if (number >= this.#tellingFrom) this.#tellingFrom = Number.POSITIVE_INFINITY;
  }
}

/** What has come of one sender. */
interface Heard {
  next: number;
  /** Whether everybody was told of a gap since: numbers that are missing before the next one tell nothing. */
  isToldOfGap: boolean;
  /** Whether numbers were missing that told nothing: if something was lost with them, a later message says so. */
  isInDoubt: boolean;
}

/** So many senders are remembered at least, those that were heard last. */
const maxSenders = 4_096;

/** Tells from the numbers of all senders what comes twice, too late or after something that did not come. */
export class HeardNumbers {
  #recent = new Map<string, Heard>();
  #older = new Map<string, Heard>();

  /**
   * What to make of a message: it is the next one, or comes after one that is missing, or is old and nobody must hear it (again).
   *
   * @param hasLoss what its sender says.
   */
  accept(sender: string, number: number, hasLoss: boolean): 'next' | 'gap' | 'old' {
    const heard = this.#find(sender) ?? this.#remember(sender, { next: 1, isToldOfGap: true, isInDoubt: false });
    if (number < heard.next) return 'old';
    const isMissing = number > heard.next;
    const isGap = heard.isToldOfGap ? hasLoss : isMissing || (heard.isInDoubt && hasLoss);
    heard.isInDoubt = !isGap && (heard.isToldOfGap ? isMissing : heard.isInDoubt);
    heard.isToldOfGap = false;
    heard.next = number + 1;
    return isGap ? 'gap' : 'next';
  }

  /** Everybody was told that something may be missing. */
  toldOfGap(): void {
    for (const senders of [this.#recent, this.#older]) for (const heard of senders.values()) heard.isToldOfGap = true;
  }

  #find(sender: string): Heard | undefined {
    const recent = this.#recent.get(sender);
    if (recent !== undefined) return recent;
    const older = this.#older.get(sender);
    return older && this.#remember(sender, older);
  }

  #remember(sender: string, heard: Heard): Heard {
    if (this.#recent.size >= maxSenders) {
      this.#older = this.#recent;
      this.#recent = new Map();
    }
    this.#recent.set(sender, heard);
    return heard;
  }
}
