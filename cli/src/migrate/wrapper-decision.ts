import type { Node } from 'oxc-parser';
import type { Context } from './context.js';
import { type Decision, type NameOf, renamed, type Target, undecided } from './decision.js';
import type { Edits } from './edits.js';
import { type Finding, findingAt } from './finding.js';
import { dropHttpOptions, type HttpOptions, httpOptionsOf, isRepeatable } from './http-options.js';
import { httpSessionReadsOf, type Reads } from './http-session-reads.js';
import { outermost } from './syntax.js';
import { type Place, useOf, type WrapperUse } from './wrapper-use.js';
import type { Mention } from './ws-with-names.js';

type OptionsUse = Extract<WrapperUse, { kind: 'options' }>;
type KnownUse = Exclude<WrapperUse, { kind: 'unknown' }>;

/** All uses of one mention: its own, and those of constants that hold it. */
interface Uses {
  readonly own: KnownUse;
  readonly ofAliases: readonly KnownUse[];
  readonly isSeen: boolean;
  readonly reads: Reads;
}

/** What becomes of a wrapper that identifies by HTTP sessions: `withUserFromHttp`, `withHttpUser`. */
export function decideWrapper(context: Context, mention: Mention, target: Target): Decision {
  const { source } = context;
  const uses = usesOf(context, mention.node);
  if ('argument' in uses) {
    const text = source.textOf(uses.argument);
    return undecided(context, mention, 'argument-unknown', `whether ${shortened(text)} is a handler or options cannot be told here`);
  }
  const parent = source.parentOf(mention.node);
  if (parent?.type === 'Property' && parent.shorthand) {
    return undecided(context, mention, 'handed-on', `${mention.exported} is handed on under its own name, by which others take it`);
  }
  return target === 'token' ? decideForToken(context, mention, uses) : decideForDual(context, mention, uses);
}

function usesOf(context: Context, node: Node): Uses | { readonly argument: Node } {
  const own = useOf(context, node);
  if (own.kind === 'unknown') return own;
  const ofAliases: KnownUse[] = [];
  const aliases = [...own.place.aliases];
  // grows meanwhile, by the aliases of aliases
  for (const alias of aliases) {
    const use = useOf(context, alias);
    if (use.kind === 'unknown') return use;
    ofAliases.push(use);
    aliases.push(...use.place.aliases);
  }
  const places = [own, ...ofAliases].map(({ place }) => place);
  const reads = httpSessionReadsOf(
    context,
    places.flatMap(({ handlers }) => handlers),
  );
  return { own, ofAliases, isSeen: places.every(({ isSeen }) => isSeen), reads };
}

function decideForToken(context: Context, mention: Mention, uses: Uses): Decision {
  const all = [uses.own, ...uses.ofAliases].filter((use) => use.kind === 'options');
  const options = new Map<OptionsUse, HttpOptions>();
  for (const use of all) {
    const written = use.given && httpOptionsOf(use.given);
    if (use.given !== undefined && written === undefined) return unknownOptions(context, mention, use.given);
    if (written !== undefined) options.set(use, written);
  }
  const readsSession = uses.reads.at !== undefined;
  if (readsSession && uses.ofAliases.some(({ kind }) => kind === 'options')) {
    const message =
      'a handler reads message.httpSession, which tokens do not give: write compose(withUserFromToken(…), withHttpSession(…))';
    return undecided(context, mention, 'reads-http-session', message);
  }
  const findings = [...optionFindings(context, [...options.values()], readsSession), ...tokenFindings(context, mention, uses)];
  const plain = renamed(context, mention, 'withUserFromToken', findings);
  const sessions = uses.own.kind === 'options' ? options.get(uses.own)?.sessions : undefined;
  return {
    ...plain,
    needs: ['withUserFromToken', ...(readsSession ? ['withHttpSession', ...(uses.own.place.isInCompose ? [] : ['compose'])] : [])],
    write(edits, nameOf) {
      plain.write(edits, nameOf);
      for (const [{ call }, each] of options) dropHttpOptions(edits, context.source, each, call);
      if (readsSession) addHttpSession(edits, nameOf, uses.own.place, sessions && `{ ${context.source.textOf(sessions)} }`);
    },
  };
}

/** `withUserFromToken` → `compose(withUserFromToken, withHttpSession)`, or the second as a neighbour where it is composed already. */
export function addHttpSession(edits: Edits, nameOf: NameOf, { wrapper, isInCompose }: Place, options: string | undefined): void {
  const added = `${nameOf('withHttpSession')}${options === undefined ? '' : `(${options})`}`;
  if (!isInCompose) edits.insertAround(wrapper, `${nameOf('compose')}(`, `, ${added})`);
  else edits.insert(wrapper.end, `, ${added}`);
}

function decideForDual(context: Context, mention: Mention, uses: Uses): Decision {
  if (uses.ofAliases.some(({ kind }) => kind === 'options')) {
    return undecided(
      context,
      mention,
      'handed-on',
      'the constant that holds it is given options elsewhere: give them to fromHttpSession(…) here',
    );
  }
  if (isAnnotated(context, mention)) {
    return undecided(
      context,
      mention,
      'type',
      `${mention.exported} has a type of its own there, which withUserFrom(…) has not: that is a Wrapper`,
    );
  }
  const { own } = uses;
  const options = own.kind === 'options' && own.given !== undefined ? httpOptionsOf(own.given) : undefined;
  return {
    mention,
    stays: false,
    needs: ['withUserFrom', 'fromToken', 'fromHttpSession'],
    findings: [...dualFindings(context, mention, uses, options)],
    write(edits, nameOf) {
      if (own.kind === 'options') writeSources(edits, nameOf, context, own, options);
      else edits.replace(mention.node, `${nameOf('withUserFrom')}(${nameOf('fromToken')}(), ${nameOf('fromHttpSession')}())`);
    },
  };
}

/** Whether what holds the wrapper is annotated with a type of the package. */
function isAnnotated({ source, mentionAt }: Context, { node }: Mention): boolean {
  const holder = source.parentOf(outermost(source, node));
  const annotation = holder?.type === 'VariableDeclarator' ? holder.id.typeAnnotation : undefined;
  return annotation != null && [...mentionAt.keys()].some(({ start, end }) => start >= annotation.start && end <= annotation.end);
}

/** `withUserFromHttp<User>(options)` → `withUserFrom(fromToken<User>(), fromHttpSession<User>(options))`. */
function writeSources(
  edits: Edits,
  nameOf: NameOf,
  { source }: Context,
  { call, given }: OptionsUse,
  options: HttpOptions | undefined,
): void {
  const { typeArguments } = call;
  const types = typeArguments ? source.textOf(typeArguments) : '';
  const { revalidate } = options ?? {};
  // looked up again as often as its HTTP source
  const repeated = revalidate !== undefined && isRepeatable(revalidate.value) ? `{ ${source.textOf(revalidate)} }` : '';
  const before = `${nameOf('fromToken')}${types}(${repeated}), ${nameOf('fromHttpSession')}${types}(`;
  edits.replace({ start: call.callee.start, end: call.callee.end }, nameOf('withUserFrom'));
  if (typeArguments) edits.remove(typeArguments.start, typeArguments.end);
  const [argument] = call.arguments;
  if (argument !== undefined && given === undefined) edits.remove(argument.start, argument.end);
  edits.insert(given === undefined ? call.end - 1 : source.startOfArgument(call, given), before);
  edits.insert(call.end - 1, ')');
}

function unknownOptions(context: Context, mention: Mention, given: Node): Decision {
  const text = shortened(context.source.textOf(given));
  return undecided(
    context,
    mention,
    'options-unknown',
    `what of ${text} withUserFromToken may take cannot be told here: it takes { tokens, from, revalidate }`,
  );
}

/** What was dropped, and what to give in its place. */
export function optionFindings({ source }: Context, options: readonly HttpOptions[], keepsSessions: boolean): Finding[] {
  return options.flatMap(({ dropped, sessions, object }) => {
    const lost = dropped.filter((property) => !(keepsSessions && property === sessions));
    if (lost.length === 0) return [];
    const names = lost.map(({ key }) => source.textOf(key)).join(' and ');
    const message = `${names} dropped: tokens are found by what is registered as TOKEN_REPOSITORY, or by the option tokens, which then types the user, too`;
    return [findingAt(source, lost[0] ?? object, { code: 'dropped-options', kind: 'look', message })];
  });
}

/** What a person must look at where a wrapper of tokens now stands. */
export function* tokenFindings(
  { source }: Context,
  mention: Mention,
  { reads, isSeen }: Pick<Uses, 'reads' | 'isSeen'>,
): Generator<Finding> {
  yield* httpUserFindings(source, mention);
  if (reads.at !== undefined) {
    const message =
      'message.httpSession is read: withHttpSession was added. A client that has only a token has no HTTP session, and gets undefined';
    yield findingAt(source, reads.at, { code: 'reads-http-session', kind: 'look', message });
  } else if (!isSeen) {
    const message = `${mention.exported} is handed on: give it no sessions and users elsewhere, and withHttpSession to handlers that read message.httpSession`;
    yield findingAt(source, mention.node, { code: 'handed-on', kind: 'look', message });
  } else if (reads.unseen !== undefined) {
    const text = shortened(source.textOf(reads.unseen));
    const message = `whether ${text} reads message.httpSession cannot be told here; where it does, put withHttpSession around it, too`;
    yield findingAt(source, reads.unseen, { code: 'handler-not-seen', kind: 'look', message });
  }
}

function* dualFindings(
  { source }: Context,
  mention: Mention,
  { own, reads, isSeen }: Uses,
  options: HttpOptions | undefined,
): Generator<Finding> {
  yield* httpUserFindings(source, mention);
  if (reads.at !== undefined) {
    const message = 'message.httpSession is read: a client that has only a token has none, and gets undefined';
    yield findingAt(source, reads.at, { code: 'reads-http-session', kind: 'look', message });
  }
  const given = own.kind === 'options' ? own.given : undefined;
  const { revalidate } = options ?? {};
  if (given !== undefined && (options === undefined || (revalidate !== undefined && !isRepeatable(revalidate.value)))) {
    const message = 'a revalidate that is given here is that of HTTP sessions alone: give it to fromToken, too';
    yield findingAt(source, revalidate ?? given, { code: 'revalidate', kind: 'look', message });
  }
  if (!isSeen) {
    const message = `${mention.exported} is handed on: what takes it gets a wrapper that takes no options any more`;
    yield findingAt(source, mention.node, { code: 'handed-on', kind: 'look', message });
  }
}

function* httpUserFindings(source: Context['source'], mention: Mention): Generator<Finding> {
  if (mention.exported !== 'withHttpUser') return;
  const message =
    "withHttpUser looked the user up for each message; now it is found at connect, and then as often as revalidate says ('message' for each)";
  yield findingAt(source, mention.node, { code: 'http-user', kind: 'look', message });
}

/** Source text as part of a sentence. */
function shortened(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > 40 ? `${line.slice(0, 39)}…` : line;
}
