import type { CallExpression, Node, ObjectExpression, ObjectProperty } from 'oxc-parser';
import type { Edits } from './edits.js';
import type { SourceFile } from './source-file.js';
import { innermost, keyOf } from './syntax.js';

/** The options of a wrapper of HTTP sessions, written out where it is called. */
export interface HttpOptions {
  readonly object: ObjectExpression;
  /** Whether nothing, such as `as const`, stands around it. */
  readonly isBare: boolean;
  /** `sessions`, `users` and `until`, which mean nothing to tokens. */
  readonly dropped: readonly ObjectProperty[];
  readonly sessions: ObjectProperty | undefined;
  readonly revalidate: ObjectProperty | undefined;
}

/** The options that `given` is, or `undefined` where they are not written out there. */
export function httpOptionsOf(given: Node): HttpOptions | undefined {
  const object = innermost(given);
  if (object.type !== 'ObjectExpression') return undefined;
  const found = new Map<string, ObjectProperty>();
  for (const property of object.properties) {
    const name = property.type === 'Property' ? keyOf(property.key, property.computed) : undefined;
    if (property.type !== 'Property' || property.kind !== 'init' || name === undefined) return undefined;
    if (found.has(name) || !/^(sessions|users|revalidate|until)$/.test(name)) return undefined;
    found.set(name, property);
  }
  const revalidate = found.get('revalidate');
  const dropped = [...found.values()].filter((property) => property !== revalidate);
  return { object, isBare: object === given, dropped, sessions: found.get('sessions'), revalidate };
}

/** Takes out of the options what tokens have no use for, and the braces with the last of them. */
export function dropHttpOptions(edits: Edits, source: SourceFile, { object, isBare, dropped }: HttpOptions, call: CallExpression): void {
  const all = object.properties;
  const { end } = call;
  if (dropped.length === 0) return;
  const standsAlone = isBare && source.startOfArgument(call, object) === object.start;
  if (standsAlone && dropped.length === all.length && !source.hasComment(object.start, object.end)) {
    if (source.hasComment(object.end, end)) edits.removeItems([object], new Set([object]));
    else edits.remove(object.start, end - 1);
    return;
  }
  edits.removeItems(all, new Set(dropped));
}

/** Whether an expression can be written twice and mean the same. */
export function isRepeatable(node: Node): boolean {
  const value = innermost(node);
  if (value.type === 'ObjectExpression') {
    return value.properties.every((property) => property.type === 'Property' && !property.computed && isRepeatable(property.value));
  }
  if (value.type === 'MemberExpression') return !value.computed && isRepeatable(value.object);
  return value.type === 'Literal' || value.type === 'Identifier' || value.type === 'ThisExpression';
}
