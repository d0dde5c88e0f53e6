import type {
  ArrowFunctionExpression,
  CallExpression,
  ClassBody,
  Function as FunctionNode,
  MemberExpression,
  Node,
  ObjectPattern,
} from 'oxc-parser';
import type { SourceFile } from './source-file.js';

export type AnyFunction = FunctionNode | ArrowFunctionExpression;

const transparent = ['TSAsExpression', 'TSSatisfiesExpression', 'TSNonNullExpression', 'TSTypeAssertion', 'ChainExpression'] as const;

/** Whether a node leaves the value of what stands in it as it is. */
function isTransparent(node: Node): node is Extract<Node, { readonly type: (typeof transparent)[number] }> {
  return transparent.some((type) => type === node.type);
}

/** The outermost node that has the value of `node`: what `as`, `!` and the like stand around. */
export function outermost(source: SourceFile, node: Node): Node {
  let current = node;
  for (let parent = source.parentOf(current); parent && isTransparent(parent); parent = source.parentOf(current)) current = parent;
  return current;
}

/** The value without what `as`, `!` and the like put around it. */
export function innermost(node: Node): Node {
  let current = node;
  while (isTransparent(current)) current = current.expression;
  return current;
}

export function isFunction(node: Node | null | undefined): node is AnyFunction {
  return node?.type === 'FunctionExpression' || node?.type === 'FunctionDeclaration' || node?.type === 'ArrowFunctionExpression';
}

/** The text of a string that stands there as it is. */
export function stringOf(node: Node | null | undefined): string | undefined {
  if (node?.type === 'Literal' && typeof node.value === 'string') return node.value;
  if (node?.type === 'TemplateLiteral' && node.expressions.length === 0) return node.quasis[0]?.value.cooked ?? undefined;
  return undefined;
}

/** The name of a property or member, where it does not depend on what is computed. */
export function keyOf(key: Node, computed: boolean): string | undefined {
  if (!computed && key.type === 'Identifier') return key.name;
  return stringOf(key);
}

/** The last part of `name` or `some.name`. */
export function lastNameOf(node: Node): string | undefined {
  const named = node.type === 'MemberExpression' ? node.property : node;
  return named.type === 'Identifier' ? named.name : undefined;
}

/** The name of a module's export, as specifiers write it. */
export function exportNameOf(node: Node): string | undefined {
  return node.type === 'Identifier' ? node.name : stringOf(node);
}

/** The call that `node` is the callee of. */
export function callOf(source: SourceFile, node: Node): CallExpression | undefined {
  const callee = outermost(source, node);
  const parent = source.parentOf(callee);
  return parent?.type === 'CallExpression' && parent.callee === callee ? parent : undefined;
}

/** The call that `node` is an argument of. */
export function callWith(source: SourceFile, node: Node): CallExpression | undefined {
  const argument = outermost(source, node);
  const parent = source.parentOf(argument);
  return parent?.type === 'CallExpression' && parent.callee !== argument ? parent : undefined;
}

/** What a `const`, or a variable that is never given anything else, holds. */
export function initializerOf(source: SourceFile, identifier: Node): Node | undefined {
  const variable = source.scopes.variableOf(identifier);
  const [definition, ...others] = variable?.definitions ?? [];
  if (variable === undefined || definition === undefined || others.length > 0 || variable.isReassigned) return undefined;
  if (definition.type === 'FunctionDeclaration' && definition.id?.name === variable.name) return definition;
  if (definition.type !== 'VariableDeclarator' || definition.id.type !== 'Identifier') return undefined;
  return definition.init === null ? undefined : innermost(definition.init);
}

/** The function that an expression certainly is. */
export function functionOf(source: SourceFile, expression: Node): AnyFunction | undefined {
  const value = innermost(expression);
  if (isFunction(value)) return value;
  if (value.type === 'MemberExpression') return methodOf(source, value);
  if (value.type === 'CallExpression' && isBind(value.callee) && value.arguments.length < 2) return functionOf(source, value.callee.object);
  const held = value.type === 'Identifier' ? initializerOf(source, value) : undefined;
  return isFunction(held) ? held : undefined;
}

/** The method of the class around it that `this.name` is. */
function methodOf(source: SourceFile, { object, property, computed }: MemberExpression): AnyFunction | undefined {
  const body = object.type === 'ThisExpression' ? classBodyAround(source, object) : undefined;
  const name = memberNameOf(property, computed);
  for (const member of body?.body ?? []) {
    if (member.type !== 'MethodDefinition' && member.type !== 'PropertyDefinition') continue;
    const isNamed = name !== undefined && memberNameOf(member.key, member.computed) === name;
    if (isNamed && isFunction(member.value)) return member.value;
  }
  return undefined;
}

function memberNameOf(key: Node, computed: boolean): string | undefined {
  return key.type === 'PrivateIdentifier' ? `#${key.name}` : keyOf(key, computed);
}

/** The class whose instance `this` is. */
function classBodyAround(source: SourceFile, node: Node): ClassBody | undefined {
  for (let each = source.parentOf(node); each !== undefined; each = source.parentOf(each)) {
    if (each.type === 'ClassBody') return each;
    const isOwnThis = each.type === 'FunctionDeclaration' || each.type === 'FunctionExpression';
    if (isOwnThis && source.parentOf(each)?.type !== 'MethodDefinition') return undefined;
  }
  return undefined;
}

/** The identifier that a property of a pattern binds. */
export function boundBy(property: ObjectPattern['properties'][number]): Node | undefined {
  const value = property.type === 'RestElement' ? property.argument : property.value;
  const target = value.type === 'AssignmentPattern' ? value.left : value;
  return target.type === 'Identifier' ? target : undefined;
}

/** Whether a callee is `something.bind`. */
export function isBind(callee: Node): callee is MemberExpression {
  return callee.type === 'MemberExpression' && keyOf(callee.property, callee.computed) === 'bind';
}

/** The type that a variable or a parameter is annotated with. */
export function annotationOf(source: SourceFile, identifier: Node): Node | undefined {
  const variable = source.scopes.variableOf(identifier);
  const [definition] = variable?.definitions ?? [];
  const declared = isFunction(definition)
    ? definition.params.find((parameter) => parameter.type === 'Identifier' && parameter.name === variable?.name)
    : definition?.type === 'VariableDeclarator' && definition.id;
  return declared && declared.type === 'Identifier' ? declared.typeAnnotation?.typeAnnotation : undefined;
}
