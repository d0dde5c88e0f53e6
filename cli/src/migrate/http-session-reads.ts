import type { Node } from 'oxc-parser';
import { type Context, exportedAt } from './context.js';
import { childrenOf } from './source-file.js';
import { type AnyFunction, annotationOf, functionOf, initializerOf, innermost, isBind, keyOf, outermost } from './syntax.js';

/** Whether handlers read `message.httpSession`. */
export interface Reads {
  /** Where one does; `undefined` where none is seen to. */
  readonly at: Node | undefined;
  /** What could not be looked into. */
  readonly unseen: Node | undefined;
}

const givers = new Set(['withHttpSession', 'withChannelAndHttpSession']);

/** Looks for reads of `message.httpSession` in what a wrapper is put around. */
export function httpSessionReadsOf(context: Context, handlers: readonly Node[]): Reads {
  const search = new ReadSearch(context);
  for (const handler of handlers) search.lookInto(handler);
  return search;
}

class ReadSearch implements Reads {
  at: Node | undefined;
  unseen: Node | undefined;
  readonly #context: Context;
  readonly #seen = new Set<unknown>();

  constructor(context: Context) {
    this.#context = context;
  }

  /** A handler, or what makes one of others. */
  lookInto(expression: Node): void {
    const value = innermost(expression);
    if (this.#seen.has(value)) return;
    this.#seen.add(value);
    const { source } = this.#context;
    const annotation = value.type === 'Identifier' ? annotationOf(source, value) : undefined;
    if (annotation !== undefined) this.#lookIntoType(annotation);
    const handler = functionOf(source, value);
    if (handler !== undefined) this.#lookIntoFunction(handler, 0);
    else if (value.type === 'CallExpression') this.#lookIntoCall(value.callee, value.arguments);
    else if (value.type === 'ObjectExpression') {
      for (const property of value.properties) this.lookInto(property.type === 'Property' ? property.value : property.argument);
    } else if (value.type !== 'Literal') {
      const held = value.type === 'Identifier' ? initializerOf(source, value) : undefined;
      if (held === undefined) this.unseen ??= value;
      else this.lookInto(held);
    }
  }

  #lookIntoCall(callee: Node, args: readonly Node[]): void {
    if (this.#givesHttpSession(callee)) return;
    if (isBind(callee)) this.lookInto(callee.object);
    else for (const argument of args) this.lookInto(argument);
  }

  /** Whether what is called brings the HTTP session itself. */
  #givesHttpSession(callee: Node): boolean {
    const value = innermost(callee);
    if (value.type !== 'CallExpression') return givers.has(exportedAt(this.#context, value) ?? '');
    const isComposed = exportedAt(this.#context, value.callee) === 'compose';
    return this.#givesHttpSession(value.callee) || (isComposed && value.arguments.some((each) => this.#givesHttpSession(each)));
  }

  #lookIntoFunction(called: AnyFunction, index: number): void {
    const { params } = called;
    const [first] = params;
    const at = first?.type === 'Identifier' && first.name === 'this' ? index + 1 : index;
    const parameter = params[at];
    this.unseen ??= this.#context.source.scopes.argumentsOf(called)[0];
    if (parameter === undefined || this.#seen.has(parameter)) return;
    this.#seen.add(parameter);
    const pattern = parameter.type === 'AssignmentPattern' ? parameter.left : parameter;
    if ('typeAnnotation' in pattern && pattern.typeAnnotation) this.#lookIntoType(pattern.typeAnnotation);
    this.#lookIntoTarget(pattern);
  }

  /** What a message is put into: a variable, or a pattern that takes it apart. */
  #lookIntoTarget(target: Node): void {
    if (target.type === 'Identifier') {
      const variable = this.#context.source.scopes.variableOf(target);
      for (const reference of variable?.references ?? []) if (reference !== target) this.#lookAtMention(reference);
    } else if (target.type === 'ObjectPattern') {
      for (const property of target.properties) {
        if (property.type === 'RestElement') this.#lookIntoTarget(property.argument);
        else if (keyOf(property.key, property.computed) === 'httpSession') this.at ??= property;
      }
    } else this.unseen ??= target;
  }

  #lookAtMention(mention: Node): void {
    const { source } = this.#context;
    const value = outermost(source, mention);
    const parent = source.parentOf(value);
    if (parent?.type === 'MemberExpression' && parent.object === value) {
      const name = keyOf(parent.property, parent.computed);
      if (name === undefined) this.unseen ??= parent;
      else if (name === 'httpSession') this.at ??= parent;
    } else if (parent?.type === 'TSQualifiedName') {
      if (parent.right.name === 'httpSession') this.at ??= parent;
    } else if (parent?.type === 'VariableDeclarator') this.#lookIntoTarget(parent.id);
    else if (parent?.type === 'CallExpression' && parent.callee !== value) {
      const given: readonly Node[] = parent.arguments;
      const called = functionOf(source, parent.callee);
      if (called !== undefined) this.#lookIntoFunction(called, given.indexOf(value));
      else if (!this.#isConsole(parent.callee)) this.unseen ??= value;
    } else if (parent?.type !== 'TSTypeQuery') this.unseen ??= value;
  }

  #isConsole(callee: Node): boolean {
    const object = callee.type === 'MemberExpression' ? callee.object : undefined;
    return object?.type === 'Identifier' && object.name === 'console' && this.#context.source.scopes.variableOf(object) === undefined;
  }

  /** A type that asks for `HasHttpSession`, by itself or through a type of this file. */
  #lookIntoType(type: Node): void {
    if (this.#seen.has(type)) return;
    this.#seen.add(type);
    if (exportedAt(this.#context, type) === 'HasHttpSession') this.at ??= type;
    if (type.type === 'TSPropertySignature' && keyOf(type.key, type.computed) === 'httpSession') this.at ??= type;
    const definitions = type.type === 'Identifier' ? this.#context.source.scopes.variableOf(type)?.definitions : undefined;
    for (const definition of definitions ?? []) {
      if (definition.type === 'TSTypeAliasDeclaration' || definition.type === 'TSInterfaceDeclaration') this.#lookIntoType(definition);
    }
    for (const child of childrenOf(type)) this.#lookIntoType(child);
  }
}
