import type { Node } from 'oxc-parser';
import { addHttpSession, namesToAdd } from './add-http-session.js';
import type { Context } from './context.js';
import { type Decision, type NameOf, renamed, type Target, undecided } from './decision.js';
import type { Edits } from './edits.js';
import { dropHttpOptions, type HttpOptions, httpOptionsOf, isRepeatable } from './http-options.js';
import { httpSessionReadsOf } from './http-session-reads.js';
import { dualFindings, type Handled, optionFindings, revalidateFindings, shortened, tokenFindings } from './session-findings.js';
import { outermost } from './syntax.js';
import { useOf, type WrapperUse } from './wrapper-use.js';
import type { Mention } from './ws-with-names.js';

type OptionsUse = Extract<WrapperUse, { kind: 'options' }>;
type KnownUse = Exclude<WrapperUse, { kind: 'unknown' }>;

/** All uses of one mention: its own, and those of constants that hold it. */
interface Uses extends Handled {
  readonly own: KnownUse;
  readonly ofAliases: readonly KnownUse[];
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
    needs: ['withUserFromToken', ...(readsSession ? namesToAdd(uses.own.place) : [])],
    write(edits, nameOf) {
      plain.write(edits, nameOf);
      for (const [{ call }, each] of options) dropHttpOptions(edits, context.source, each, call);
      if (readsSession) addHttpSession(edits, nameOf, uses.own.place, sessions && `{ ${context.source.textOf(sessions)} }`);
    },
  };
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
  const given = own.kind === 'options' ? own.given : undefined;
  const options = given && httpOptionsOf(given);
  return {
    mention,
    stays: false,
    needs: ['withUserFrom', 'fromToken', 'fromHttpSession'],
    findings: [...dualFindings(context, mention, uses), ...(given ? revalidateFindings(context, given, options) : [])],
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
