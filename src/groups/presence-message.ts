import type { CountChange } from './group-counts.js';

/** So many counts fit in one message, and so many characters of names and ids: brokers bound what they carry. */
const maxCounts = 2_000;
const maxCharacters = 65_536;

/**
 * What a node tells the others of those who are in its groups. Counts are absolute; `at` says how many changes the node has told so far.
 */
export type PresenceMessage = { readonly node: string } & Said;

type Said =
  /** All that there is, but for what follows as changes. */
  | {
      readonly kind: 'all';
      readonly at: number;
      readonly counts: readonly CountChange[];
      /** The number of the change with which it is complete, where there are more than one message carries. */
      readonly last?: number | undefined;
    }
  /** The change number `at`. */
  | { readonly kind: 'change'; readonly at: number; readonly counts: readonly CountChange[] }
  /** It is there, and has told so many. */
  | { readonly kind: 'alive'; readonly at: number }
  /** Asks one node, or each, for all that there is. */
  | { readonly kind: 'ask'; readonly of?: string | undefined }
  /** It leaves. */
  | { readonly kind: 'leave' };

/** What `data` says; `undefined` where it is none of ours, or of a version to come. */
export function presenceMessage(data: string | Uint8Array): PresenceMessage | undefined {
  if (typeof data !== 'string') return undefined;
  try {
    const message: unknown = JSON.parse(data);
    return isPresenceMessage(message) ? message : undefined;
  } catch {
    return undefined;
  }
}

function isPresenceMessage(value: unknown): value is PresenceMessage {
  if (typeof value !== 'object' || value === null) return false;
  const { node, kind, at, counts, of, last } = value as Readonly<Record<string, unknown>>;
  if (typeof node !== 'string') return false;
  if (kind === 'leave') return true;
  if (kind === 'ask') return of === undefined || typeof of === 'string';
  if (!Number.isSafeInteger(at) || (last !== undefined && !Number.isSafeInteger(last))) return false;
  return kind === 'alive' || ((kind === 'all' || kind === 'change') && Array.isArray(counts) && counts.every(isCountChange));
}

function isCountChange(value: unknown): value is CountChange {
  return (
    Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'string' && Number.isSafeInteger(value[2]) && value[2] >= 0
  );
}

/** `counts` in parts, each of which one message may carry. */
export function partsOf(counts: readonly CountChange[]): (readonly CountChange[])[] {
  const parts: (readonly CountChange[])[] = [];
  let part: CountChange[] = [];
  let characters = 0;
  for (const each of counts) {
    const length = each[0].length + each[1].length;
    if (part.length === maxCounts || (part.length > 0 && characters + length > maxCharacters)) {
      parts.push(part);
      part = [];
      characters = 0;
    }
    characters += length;
    part.push(each);
  }
  if (part.length > 0) parts.push(part);
  return parts;
}
