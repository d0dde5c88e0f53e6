import type { CallExpression, Node } from 'oxc-parser';
import { type Finding, findingAt } from './finding.js';
import { childrenOf, type SourceFile } from './source-file.js';
import { type AnyFunction, functionOf, initializerOf, innermost, isFunction, keyOf, lastNameOf, stringOf } from './syntax.js';

/** What the lines to write identify by: first the session as it is, then what `migrate` makes of it. */
export type Written = 'session' | 'dual' | 'token';

/** A function that runs for each handshake. */
interface Listener {
  /** Where it is attached. */
  readonly at: Node;
  readonly run: AnyFunction;
  readonly event: 'connection' | 'upgrade' | 'verifyClient';
  /** What it listens to, as it is written. */
  readonly target: string;
}

const makers = /^(express-session|cookie-session|client-sessions)$/;

/** Finds listeners that run a session parser on the handshake by hand, and says what to write in their place. */
export function wsSessionsOf(source: SourceFile, written: Written): Finding[] {
  if (!/connection|upgrade|verifyClient/.test(source.text)) return [];
  return source.nodes.flatMap((node) => {
    const listener = listenerOf(source, node);
    const parsers = listener === undefined ? [] : parsersIn(source, listener.run);
    const [first] = parsers;
    if (listener === undefined || first === undefined) return [];
    const { event, target } = listener;
    const what = event === 'verifyClient' ? 'verifyClient' : `${target}.on('${event}', …)`;
    const message = `${what} runs ${textOfParser(source, first)} on the handshake, line ${source.positionOf(first).line}: a ChannelServer does that, and knows its user`;
    return [
      findingAt(source, listener.at, {
        code: 'session-parser',
        kind: 'undecided',
        message,
        write: linesFor(source, listener, parsers, written),
      }),
    ];
  });
}

function listenerOf(source: SourceFile, node: Node): Listener | undefined {
  if (node.type === 'Property' && keyOf(node.key, node.computed) === 'verifyClient') {
    const run = functionOf(source, node.value);
    return run && { at: node, run, event: 'verifyClient', target: '' };
  }
  if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return undefined;
  const { callee } = node;
  const method = keyOf(callee.property, callee.computed);
  const [first, second] = node.arguments;
  const event = stringOf(first);
  if (!/^(on|once|addListener|prependListener)$/.test(method ?? '') || second === undefined) return undefined;
  if (event !== 'connection' && event !== 'upgrade') return undefined;
  const run = functionOf(source, second);
  return run && { at: node, run, event, target: source.textOf(callee.object) };
}

/** The calls of session parsers in a function and in those of the file that it calls. */
function parsersIn(source: SourceFile, run: AnyFunction): CallExpression[] {
  const found: CallExpression[] = [];
  const seen = new Set<Node>();
  const visit = (node: Node): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (node.type === 'CallExpression') {
      if (isParserCall(source, node)) found.push(node);
      const called = functionOf(source, node.callee);
      if (called !== undefined) visit(called);
    }
    childrenOf(node).forEach(visit);
  };
  visit(run);
  return found;
}

/** `parser(request, {}, next)`, or `await promisify(parser)(request, {})`: middleware that is given a response which is none. */
function isParserCall(source: SourceFile, call: CallExpression): boolean {
  const [request, response, next] = call.arguments;
  if (request === undefined || response === undefined) return false;
  const { parser, isPromisified } = parserOf(source, call);
  if (isSessionMiddleware(source, parser)) return true;
  const goesOn = isPromisified || (next !== undefined && next.type !== 'ObjectExpression');
  return goesOn && isNoResponse(source, response) && /^(Identifier|MemberExpression)$/.test(innermost(request).type);
}

/** What a call runs, be it promisified there or where a constant was made of it. */
function parserOf(source: SourceFile, { callee }: CallExpression): { readonly parser: Node; readonly isPromisified: boolean } {
  const parser = innermost(callee);
  const made = parser.type === 'Identifier' ? initializerOf(source, parser) : parser;
  const [promisified] = made?.type === 'CallExpression' && lastNameOf(made.callee) === 'promisify' ? made.arguments : [];
  return { parser: promisified ?? parser, isPromisified: promisified !== undefined };
}

/** What a call runs, as it is written; but what that is made with is left out, since a secret may be in it. */
function textOfParser(source: SourceFile, call: CallExpression): string {
  const { parser } = parserOf(source, call);
  if (parser.type === 'MemberExpression' && lastNameOf(parser) === 'handle') return source.textOf(parser.object); // an application of Express
  const isMade = parser.type === 'CallExpression' && parser.arguments.length > 0;
  return isMade ? `${source.textOf(parser.callee)}(…)` : source.textOf(parser);
}

/** `{}`, an object of methods alone, or a response that Node makes without a socket, there or in a constant. */
function isNoResponse(source: SourceFile, node: Node): boolean {
  const given = innermost(node);
  const value = given.type === 'Identifier' ? (initializerOf(source, given) ?? given) : given;
  if (value.type === 'ObjectExpression') return value.properties.every((each) => each.type === 'Property' && isFunction(each.value));
  return value.type === 'NewExpression' && lastNameOf(value.callee) === 'ServerResponse';
}

/** A constant that holds `session(…)` of a package that makes such middleware. */
function isSessionMiddleware(source: SourceFile, node: Node): boolean {
  const made = node.type === 'Identifier' ? initializerOf(source, node) : undefined;
  if (made?.type !== 'CallExpression' || made.callee.type !== 'Identifier') return false;
  const [definition] = source.scopes.variableOf(made.callee)?.definitions ?? [];
  if (definition?.type === 'ImportDefaultSpecifier' || definition?.type === 'ImportNamespaceSpecifier') {
    const declaration = source.parentOf(definition);
    return declaration?.type === 'ImportDeclaration' && makers.test(declaration.source.value);
  }
  const required = initializerOf(source, made.callee);
  return required?.type === 'CallExpression' && makers.test(stringOf(required.arguments[0]) ?? '');
}

const identifying: Readonly<Record<Written, { readonly wrapper: string; readonly names: readonly string[] }>> = {
  session: { wrapper: 'withUserFromHttp({ sessions, users })', names: ['withUserFromHttp'] },
  dual: {
    wrapper: 'withUserFrom(fromToken({ tokens }), fromHttpSession({ sessions, users }))',
    names: ['fromHttpSession', 'fromToken', 'withUserFrom'],
  },
  token: { wrapper: 'withUserFromToken({ tokens })', names: ['withUserFromToken'] },
};

function linesFor(source: SourceFile, { event, target }: Listener, parsers: readonly CallExpression[], written: Written): string[] {
  const { wrapper, names } = identifying[written];
  const middleware = [...new Set(parsers.map((call) => textOfParser(source, call)))];
  const chain = middleware.length === 1 ? middleware[0] : `[${middleware.join(', ')}]`;
  const imported = ['ChannelServer', 'withAuthenticatedUser', 'withChannelUser', ...names].toSorted().join(', ');
  const readsSessions = written !== 'token';
  return [
    `import { ${imported} } from 'ws-with';`,
    ...(readsSessions ? ["import { ExpressSessionReader } from 'ws-with/express';"] : []),
    '',
    ...(readsSessions ? [`const sessions = new ExpressSessionReader(${chain});`] : []),
    'const channels = new ChannelServer({',
    `  connect: ${wrapper}(withAuthenticatedUser((message) => {})), // what is done once the session is read`,
    `  receive: withChannelUser((message) => {}), // ${listenersOf(source, 'message')}: message.text, message.user, message.channel`,
    `  disconnect: withChannelUser((message) => {}), // ${listenersOf(source, 'close')}`,
    '});',
    event === 'upgrade'
      ? `channels.handleUpgrades(${target}); // in place of ${target}.on('upgrade', …) and wss.handleUpgrade`
      : acceptLine(event === 'connection' ? [target, 'this listener'] : ['wss', 'verifyClient']),
  ];
}

function acceptLine([server, replaced]: readonly [server: string, replaced: string]): string {
  return `${server}.on('connection', channels.accept); // in place of ${replaced}`;
}

/** `.on('message', …), line 12`, so that a person finds what moves. */
function listenersOf(source: SourceFile, event: string): string {
  const lines = source.nodes.flatMap((node) => {
    const isListener = node.type === 'CallExpression' && node.callee.type === 'MemberExpression' && stringOf(node.arguments[0]) === event;
    return isListener ? [source.positionOf(node).line] : [];
  });
  return `.on('${event}', …)${lines.length > 0 ? `, line ${lines.join(', ')}` : ''}`;
}
