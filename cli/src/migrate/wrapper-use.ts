import type { CallExpression, Node } from 'oxc-parser';
import { type Context, exportedAt } from './context.js';
import type { SourceFile } from './source-file.js';
import { annotationOf, callOf, callWith, functionOf, initializerOf, innermost, isBind, outermost } from './syntax.js';

/** Where a wrapper stands. */
export interface Place {
  /** The wrapper as a whole: its name, or the call that gave it its options. */
  readonly wrapper: Node;
  readonly isInCompose: boolean;
  /** What it is put around. */
  readonly handlers: readonly Node[];
  /** Mentions of the constant that holds it. */
  readonly aliases: readonly Node[];
  /** Whether all of that is in sight. */
  readonly isSeen: boolean;
}

/** How a wrapper is written: by its name alone, with options, or so that it cannot be told which. */
export type WrapperUse =
  | { readonly kind: 'bare'; readonly place: Place }
  | { readonly kind: 'options'; readonly call: CallExpression; readonly given: Node | undefined; readonly place: Place }
  | { readonly kind: 'unknown'; readonly argument: Node };

/** How the wrapper is used whose name stands at `node`. */
export function useOf(context: Context, node: Node): WrapperUse {
  const call = callOf(context.source, node);
  if (call === undefined) return { kind: 'bare', place: placeOf(context, node) };
  const [first, ...others] = call.arguments;
  if (first === undefined) return { kind: 'options', call, given: undefined, place: placeOf(context, call) };
  const kind = others.length > 0 ? 'unknown' : argumentKind(context, first, call);
  if (kind === 'unknown') return { kind, argument: first };
  if (kind === 'handler') return { kind: 'bare', place: placeOf(context, node) };
  return { kind: 'options', call, given: isUndefined(first) ? undefined : first, place: placeOf(context, call) };
}

/** Where the wrapper `node` stands; `seen` holds the constants on the way to it. */
export function placeOf(context: Context, node: Node, seen: ReadonlySet<Node> = new Set()): Place {
  const { source } = context;
  const place = { wrapper: node, isInCompose: false, handlers: [], aliases: [], isSeen: true };
  const call = callOf(source, node);
  if (call !== undefined) return { ...place, handlers: call.arguments.slice(0, 1) };
  const whole = outermost(source, node);
  const parent = source.parentOf(whole);
  if (parent?.type === 'Decorator') return { ...place, handlers: methodUnder(source, parent) };
  const composing = callWith(source, node);
  if (composing !== undefined && exportedAt(context, composing.callee) === 'compose') {
    return { ...place, isInCompose: true, ...handlersAt(context, placeOf(context, composing, seen), seen) };
  }
  if (parent?.type === 'VariableDeclarator' && parent.init === whole && initializerOf(source, parent.id) !== undefined) {
    const isExported = source.parentOf(source.parentOf(parent) ?? parent)?.type === 'ExportNamedDeclaration';
    return { ...place, aliases: source.scopes.variableOf(parent.id)?.references ?? [], isSeen: !isExported };
  }
  return { ...place, isSeen: false };
}

/** What a wrapper is put around where it stands, and by the constants that hold it. */
export function handlersAt(
  context: Context,
  { handlers, aliases, isSeen }: Place,
  seen: ReadonlySet<Node> = new Set(),
): Pick<Place, 'handlers' | 'isSeen'> {
  const held = aliases.flatMap((alias) => {
    const within = new Set([...seen, alias]);
    return seen.has(alias) ? [] : [handlersAt(context, placeOf(context, alias, within), within)];
  });
  return {
    handlers: [...handlers, ...held.flatMap((each) => each.handlers)],
    isSeen: isSeen && held.every((each) => each.isSeen),
  };
}

function methodUnder(source: SourceFile, decorator: Node): Node[] {
  const member = source.parentOf(decorator);
  if (member?.type === 'MethodDefinition') return [member.value];
  return member?.type === 'PropertyDefinition' && member.value !== null ? [member.value] : [];
}

type ArgumentKind = 'handler' | 'options' | 'unknown';

function isUndefined(node: Node): boolean {
  return node.type === 'Identifier' && node.name === 'undefined';
}

/** Whether what a wrapper is called with is its handler or its options: both may be any expression. */
function argumentKind(context: Context, argument: Node, call: CallExpression): ArgumentKind {
  const own = kindOfValue(context, argument);
  return own === 'unknown' ? kindByPlace(context, call) : own;
}

function kindOfValue(context: Context, node: Node): ArgumentKind {
  const value = innermost(node);
  if (functionOf(context.source, value) !== undefined) return 'handler';
  if (value.type === 'ObjectExpression' || isUndefined(value)) return 'options';
  if (value.type === 'CallExpression') return givesHandler(context, value) ? 'handler' : 'unknown';
  if (value.type !== 'Identifier') return 'unknown';
  const held = initializerOf(context.source, value);
  if (held !== undefined && held !== value) return kindOfValue(context, held);
  return isAnnotatedAsHandler(context, value) ? 'handler' : 'unknown';
}

/**
 * Whether a call gives a handler: `withX(handler)`, `withX(options)(handler)`, `compose(…)(handler)`, `dispatchOn(…)`,
 * `handler.bind(…)`.
 */
function givesHandler(context: Context, call: CallExpression): boolean {
  const callee = innermost(call.callee);
  if (isBind(callee)) return true;
  const factory = callee.type === 'CallExpression' ? exportedAt(context, callee.callee) : undefined;
  if (factory === 'compose' || factory?.startsWith('with') === true) return true;
  const exported = exportedAt(context, callee);
  if (exported === 'dispatchOn') return true;
  const [first] = call.arguments;
  return exported?.startsWith('with') === true && first !== undefined && kindOfValue(context, first) === 'handler';
}

/** What the place of `withX(…)` says of its argument: a wrapper is called, decorates or is composed; a handler is not. */
function kindByPlace(context: Context, call: CallExpression): ArgumentKind {
  const { source } = context;
  const place = placeOf(context, call);
  if (place.isInCompose) return 'options';
  if (handlersAt(context, place).handlers.length > 0) return 'options';
  const around = callWith(source, call);
  const aroundIs = around && exportedAt(context, around.callee);
  if (aroundIs?.startsWith('with') === true) return 'handler';
  const parent = source.parentOf(outermost(source, call));
  const isMember = parent?.type === 'Property' || parent?.type === 'PropertyDefinition';
  return isMember && /^(connect|receive|disconnect)$/.test(source.textOf(parent.key)) ? 'handler' : 'unknown';
}

/** Whether a variable or parameter is annotated with a type of functions. */
function isAnnotatedAsHandler({ source }: Context, identifier: Node): boolean {
  let type = annotationOf(source, identifier);
  if (type?.type === 'TSTypeReference') {
    if (/Handler$/.test(source.textOf(type.typeName))) return true;
    const [alias] = source.scopes.variableOf(type.typeName)?.definitions ?? [];
    type = alias?.type === 'TSTypeAliasDeclaration' ? alias.typeAnnotation : undefined;
  }
  return type?.type === 'TSFunctionType';
}
