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

/**
 * One change of the source each, of the kinds that a mistake could be.
 *
 * @param {string} name
 * @param {string} source
 * @returns {{ line: number, what: string, source: string }[]}
 */
export function mutantsOf(name, source) {
  const mutants = [];
  const replace = (start, end, text) => {
    const before = source.slice(start, end);
    const line = source.slice(0, start).split('\n').length;
    const short = (code) => code.replace(/\s+/g, ' ').slice(0, 70);
    mutants.push({
      line,
      what: `${short(before)} → ${short(text) || 'nothing'}`,
      source: source.slice(0, start) + text + source.slice(end),
    });
  };
  const between = (left, right, operator, other) => {
    const at = source.indexOf(operator, left.end);
    if (at >= 0 && at < right.start) replace(at, at + operator.length, other);
  };
  const kinds = {
    BinaryExpression({ left, right, operator }) {
      if (operator in swaps) between(left, right, operator, swaps[operator]);
    },
    LogicalExpression({ left, right, operator }) {
      if (operator in swaps) between(left, right, operator, swaps[operator]);
      else if (operator === '??') replace(left.start, right.end, source.slice(left.start, left.end));
    },
    UnaryExpression({ operator, start, argument }) {
      if (operator === '!') replace(start, argument.start, '');
    },
    IfStatement({ test }) {
      replace(test.start, test.end, 'true');
      replace(test.start, test.end, 'false');
    },
    ConditionalExpression({ test }) {
      replace(test.start, test.end, 'true');
      replace(test.start, test.end, 'false');
    },
    Literal({ value, start, end }) {
      if (typeof value === 'boolean') replace(start, end, String(!value));
      if (typeof value === 'number') replace(start, end, String(value + 1));
    },
    ExpressionStatement({ expression, start, end }) {
      if (expression.type === 'CallExpression' && expression.callee.type !== 'Super') replace(start, end, ';');
      if (expression.type === 'AssignmentExpression') replace(start, end, ';');
    },
  };
  const visit = (node) => {
    if (node.type?.startsWith('TS') && node.type !== 'TSAsExpression' && node.type !== 'TSNonNullExpression') return;
    kinds[node.type]?.(node);
    for (const child of Object.values(node).flat()) if (typeof child?.type === 'string') visit(child);
  };
  visit(parseSync(name, source).program);
  return mutants;
}
