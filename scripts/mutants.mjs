import { parseSync } from 'oxc-parser';

const swaps = {
  '===': '!==',
  '!==': '===',
  '<': '<=',
  '<=': '<',
  '>': '>=',
  '>=': '>',
  '+': '-',
  '-': '+',
  '*': '/',
  '&&': '||',
  '||': '&&',
};

/** Whether it strings texts together: the compiler would refuse any other operator. */
function isText({ type, operator, left, right, value }) {
  if (type === 'BinaryExpression') return operator === '+' && (isText(left) || isText(right));
  return type === 'TemplateLiteral' || typeof value === 'string';
}

/**
 * One change of the source each, of the kinds that a mistake could be.
 *
 * @typedef {{ start: number, end: number, line: number, isStatement: boolean, text: string, what: string }} Mutant `text` stands in place of
 * what is from `start` to `end`.
 * @param {string} name
 * @param {string} source
 * @returns {Mutant[]}
 */
export function mutantsOf(name, source) {
  const mutants = [];
  const code = ({ start, end }) => source.slice(start, end);
  const replace = (node, text, isStatement = false) => {
    const short = (piece) => piece.replace(/\s+/g, ' ').slice(0, 90);
    const line = source.slice(0, node.start).split('\n').length;
    const { start, end } = node;
    mutants.push({ start, end, line, isStatement, text, what: `${short(code(node))} → ${short(text) || 'nothing'}` });
  };
  const swap = (node) => {
    const { left, right, operator } = node;
    const at = source.indexOf(operator, left.end);
    if (at < 0 || at >= right.start) return;
    replace(node, source.slice(node.start, at) + swaps[operator] + source.slice(at + operator.length, node.end));
  };
  const decide = ({ test }) => {
    replace(test, 'true');
    replace(test, 'false');
  };
  const kinds = {
    BinaryExpression(node) {
      if (node.operator in swaps && !isText(node)) swap(node);
    },
    LogicalExpression(node) {
      if (node.operator in swaps) swap(node);
      else if (node.operator === '??') replace(node, code(node.left));
    },
    UnaryExpression(node) {
      if (node.operator === '!') replace(node, code(node.argument));
    },
    IfStatement: decide,
    ConditionalExpression: decide,
    Literal(node) {
      if (typeof node.value === 'boolean') replace(node, String(!node.value));
      if (typeof node.value === 'number') replace(node, String(node.value + 1));
    },
    ExpressionStatement(node) {
      const { expression } = node;
      if (expression.type === 'CallExpression' && expression.callee.type !== 'Super') replace(node, '', true);
      if (expression.type === 'AssignmentExpression') replace(node, '', true);
    },
  };
  visit(parseSync(name, source).program, kinds);
  return mutants;
}

/** Calls what `kinds` has for the type of each node, types of TypeScript left out. */
function visit(node, kinds) {
  if (node.type?.startsWith('TS') && node.type !== 'TSAsExpression' && node.type !== 'TSNonNullExpression') return;
  kinds[node.type]?.(node);
  for (const [name, part] of Object.entries(node)) {
    if (name === 'key' && !node.computed) continue; // the name of a member is no value
    for (const child of [part].flat()) if (typeof child?.type === 'string') visit(child, kinds);
  }
}

/**
 * The source with all of its mutants in it: `globalThis.mutant(id)` says of each whether it is the one that is switched on, and notes that
 * it was reached. Lines stay where they are.
 *
 * @param {string} source
 * @param {readonly (Mutant & { id: number })[]} mutants
 */
export function withSwitches(source, mutants) {
  const outerFirst = mutants.toSorted((one, other) => one.start - other.start || other.end - one.end);
  const weave = (start, end, within) => {
    let [text, at] = ['', start];
    while (within.length > 0) {
      const outer = within.shift();
      const inner = [];
      while (within.length > 0 && within[0].start < outer.end) inner.push(within.shift());
      text += source.slice(at, outer.start) + switched(outer, weave(outer.start, outer.end, inner));
      at = outer.end;
    }
    return text + source.slice(at, end);
  };
  return weave(0, source.length, outerFirst);
}

function switched({ id, isStatement, text }, original) {
  return isStatement ? `{ if (!globalThis.mutant(${id})) ${original} }` : `(globalThis.mutant(${id}) ? (${text}) : (${original}))`;
}
