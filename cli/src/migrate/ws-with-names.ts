import type { CallExpression, ImportDeclaration, ImportExpression, MemberExpression, Node, ObjectPattern } from 'oxc-parser';
import { type Finding, findingAt } from './finding.js';
import type { SourceFile } from './source-file.js';
import { boundBy, callOf, exportNameOf, initializerOf, isFunction, keyOf, lastNameOf, outermost, stringOf } from './syntax.js';

const packageName = 'ws-with';

/** The names that a migration replaces. */
const replaced: ReadonlySet<string> = new Set(['withUserFromHttp', 'withHttpUser', 'fromHttpSession']);

/** What names of the package are taken from: an import, or a pattern that takes its module apart. */
export type Container = ImportDeclaration | ObjectPattern;

/** One name of the package, bound to a variable. */
export interface Binding {
  /** What the package calls it. */
  readonly exported: string;
  readonly local: string;
  readonly container: Container;
  /** The specifier, or the property of the pattern. */
  readonly item: Node;
  readonly isTypeOnly: boolean;
  readonly isOfFile: boolean;
}

/** One mention of a name of the package. */
export interface Mention {
  readonly exported: string;
  /** The expression, type or specifier as a whole: `withX`, `ws.withX`. */
  readonly node: Node;
  /** What of it is the name: `withX` of `ws.withX`. */
  readonly nameNode: Node;
  /** What stands before it, `ws.`, and before every other name of the package there. */
  readonly prefix: string;
  /** Where the variable comes from; `undefined` for members of the module. */
  readonly binding: Binding | undefined;
}

/** All that a file says of the package. */
export interface WsWithNames {
  readonly bindings: readonly Binding[];
  readonly mentions: readonly Mention[];
  readonly findings: readonly Finding[];
}

/** Finds every mention of the package's names in a file, by what names mean there and not by how they are spelt. */
export function wsWithNamesOf(source: SourceFile): WsWithNames {
  const search = new Search(source);
  for (const node of source.nodes) search.visit(node);
  return search;
}

/** A pattern that binds names; one that assigns to members is of another type. */
function isObjectPattern(node: Node): node is ObjectPattern {
  return node.type === 'ObjectPattern';
}

class Search implements WsWithNames {
  readonly bindings: Binding[] = [];
  readonly mentions: Mention[] = [];
  readonly findings: Finding[] = [];
  readonly #source: SourceFile;

  constructor(source: SourceFile) {
    this.#source = source;
  }

  visit(node: Node): void {
    switch (node.type) {
      case 'ImportDeclaration':
        if (node.source.value === packageName) this.#visitImport(node);
        return;
      case 'TSImportEqualsDeclaration':
        if (node.moduleReference.type === 'TSExternalModuleReference' && node.moduleReference.expression.value === packageName) {
          this.#followVariable(node.id);
        }
        return;
      case 'ExportNamedDeclaration':
        if (node.source?.value !== packageName) return;
        for (const specifier of node.specifiers) this.#add(exportNameOf(specifier.local), specifier, specifier.local);
        return;
      case 'ExportAllDeclaration':
        if (node.source.value === packageName)
          this.#report(node, 'export-all', 'all of ws-with is passed on: who imports it from here is not followed');
        return;
      case 'ImportExpression':
        if (stringOf(node.source) === packageName) this.#visitPromise(node);
        return;
      case 'CallExpression':
        if (this.#isRequire(node)) this.#followModule(node);
        return;
      case 'TSImportType':
        if (stringOf(node.source) === packageName && node.qualifier?.type === 'Identifier') {
          this.#add(node.qualifier.name, node, node.qualifier);
        }
        return;
      default:
    }
  }

  #visitImport(declaration: ImportDeclaration): void {
    for (const specifier of declaration.specifiers) {
      if (specifier.type === 'ImportNamespaceSpecifier') this.#followVariable(specifier.local);
      if (specifier.type !== 'ImportSpecifier') continue;
      const isTypeOnly = declaration.importKind === 'type' || specifier.importKind === 'type';
      this.#bind(exportNameOf(specifier.imported), specifier.local, { container: declaration, item: specifier, isTypeOnly });
    }
  }

  /** `await import('ws-with')`, `import('ws-with').then((module) => …)`. */
  #visitPromise(promise: ImportExpression): void {
    const parent = this.#source.parentOf(promise);
    if (parent?.type === 'AwaitExpression') {
      this.#followModule(parent);
      return;
    }
    const call =
      parent?.type === 'MemberExpression' && keyOf(parent.property, parent.computed) === 'then' ? callOf(this.#source, parent) : undefined;
    const [then] = call?.arguments ?? [];
    const taken = isFunction(then) ? then.params[0] : undefined;
    if (taken?.type === 'Identifier') this.#followVariable(taken);
    else if (taken !== undefined && isObjectPattern(taken)) this.#followPattern(taken);
    else this.#handedOn(promise);
  }

  #isRequire(call: CallExpression): boolean {
    const { callee } = call;
    if (call.arguments.length !== 1 || stringOf(call.arguments[0]) !== packageName) return false;
    const isGlobal = callee.type === 'Identifier' && callee.name === 'require' && this.#source.scopes.variableOf(callee) === undefined;
    return isGlobal || this.#isCreated(callee);
  }

  /** Whether `createRequire(…)` of Node has made it, there or where a constant holds it. */
  #isCreated(require: Node): boolean {
    const made = require.type === 'Identifier' ? initializerOf(this.#source, require) : require;
    return made?.type === 'CallExpression' && lastNameOf(made.callee) === 'createRequire';
  }

  /** What is done with an expression that is the package's module. */
  #followModule(expression: Node): void {
    const value = outermost(this.#source, expression);
    const parent = this.#source.parentOf(value);
    if (parent?.type === 'MemberExpression' && parent.object === value) {
      const name = keyOf(parent.property, parent.computed);
      if (name === undefined) this.#report(value, 'namespace', 'which name of ws-with is taken here is known at run time alone');
      else this.#add(name, parent, parent.property, this.#prefixOf(parent));
    } else if (parent?.type === 'TSQualifiedName' && parent.left === value) {
      this.#add(parent.right.name, parent, parent.right, `${this.#source.textOf(value)}.`);
    } else if (parent?.type === 'VariableDeclarator' && parent.init === value) this.#followTarget(parent.id, value);
    else if (parent?.type === 'AssignmentExpression' && parent.right === value) {
      this.#followTarget(parent.left, value);
      this.#followModule(parent); // an assignment is what it assigns: `a = b = require('ws-with')`
    } else if (parent?.type !== 'ExpressionStatement' && parent?.type !== 'TSTypeQuery') {
      this.#handedOn(value);
    }
  }

  /** `ws.` of `ws.withX`, with the brackets that stand around the module. */
  #prefixOf({ start, object, property, computed }: MemberExpression): string {
    if (!computed) return this.#source.text.slice(start, property.start);
    const text = this.#source.textOf(object);
    return object.type === 'AwaitExpression' ? `(${text}).` : `${text}.`;
  }

  /** What the module `value` is given to: `module.exports` and other members may be read anywhere. */
  #followTarget(target: Node, value: Node): void {
    if (isObjectPattern(target)) this.#followPattern(target);
    else if (target.type === 'Identifier') this.#followVariable(target);
    else this.#handedOn(value);
  }

  #handedOn(module: Node): void {
    this.#report(module, 'namespace', 'the module is handed on: what is taken from it is not followed');
  }

  #followVariable(identifier: Node): void {
    const variable = this.#source.scopes.variableOf(identifier);
    for (const reference of variable?.references ?? []) if (reference !== identifier) this.#followModule(reference);
  }

  #followPattern(pattern: ObjectPattern): void {
    for (const property of pattern.properties) {
      const bound = boundBy(property);
      const name = property.type === 'RestElement' ? undefined : keyOf(property.key, property.computed);
      if (property.type === 'RestElement') {
        if (bound === undefined) this.#handedOn(property);
        else this.#followVariable(bound);
      } else if (name === undefined) this.#report(property, 'namespace', 'which name of ws-with is taken here is known at run time alone');
      else if (bound !== undefined) this.#bind(name, bound, { container: pattern, item: property, isTypeOnly: false });
      else if (replaced.has(name)) this.#report(property, 'namespace', `${name} is given to what is not followed`);
    }
  }

  #bind(exported: string | undefined, identifier: Node, from: Pick<Binding, 'container' | 'item' | 'isTypeOnly'>): void {
    const variable = this.#source.scopes.variableOf(identifier);
    if (exported === undefined || variable === undefined) return;
    if (variable.isReassigned || (from.item.type === 'Property' && from.item.value.type === 'AssignmentPattern')) {
      if (replaced.has(exported))
        this.#report(from.item, 'namespace', `${variable.name} may be something else than ${exported} of ws-with`);
      return;
    }
    const binding: Binding = { ...from, exported, local: variable.name, isOfFile: variable.isOfFile };
    this.bindings.push(binding);
    for (const reference of variable.references) {
      if (reference !== identifier) this.mentions.push({ exported, node: reference, nameNode: reference, prefix: '', binding });
    }
  }

  #add(exported: string | undefined, node: Node, nameNode: Node, prefix = ''): void {
    if (exported !== undefined) this.mentions.push({ exported, node, nameNode, prefix, binding: undefined });
  }

  #report(node: Node, code: 'namespace' | 'export-all', message: string): void {
    this.findings.push(findingAt(this.#source, node, { code, kind: 'undecided', message }));
  }
}
