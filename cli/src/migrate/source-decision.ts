import type { CallExpression, Node } from 'oxc-parser';
import { addHttpSession, namesToAdd } from './add-http-session.js';
import { type Context, exportedAt } from './context.js';
import { type Decision, type NameOf, type Target, undecided, writeName } from './decision.js';
import type { Edits } from './edits.js';
import { dropHttpOptions, type HttpOptions, httpOptionsOf } from './http-options.js';
import { httpSessionReadsOf } from './http-session-reads.js';
import { optionFindings, tokenFindings } from './session-findings.js';
import { callOf, callWith, innermost, outermost } from './syntax.js';
import { handlersAt, placeOf } from './wrapper-use.js';
import type { Mention } from './ws-with-names.js';

/** `withUserFrom(…)` with a source of HTTP sessions among its sources. */
interface Sources {
  /** The call of `withUserFrom`. */
  readonly list: CallExpression;
  readonly http: CallExpression;
  readonly token: CallExpression | undefined;
  readonly hasOthers: boolean;
}

/** What becomes of `fromHttpSession(…)`; `undefined` where nothing need become of it. */
export function decideSource(context: Context, mention: Mention, target: Target): Decision | undefined {
  const http = callOf(context.source, mention.node);
  const list = http && callWith(context.source, http);
  if (http === undefined || list === undefined || exportedAt(context, list.callee) !== 'withUserFrom') {
    return undecided(
      context,
      mention,
      'source',
      'fromHttpSession is given to something else than withUserFrom, which may have to go on with sessions',
    );
  }
  const calls = list.arguments.map((argument) => {
    const value = innermost(argument);
    return value.type === 'CallExpression' ? value : undefined;
  });
  const token = calls.find((call) => call && exportedAt(context, call.callee) === 'fromToken');
  if (target === 'dual' && token !== undefined) return undefined;
  const https = calls.filter((call) => call && exportedAt(context, call.callee) === 'fromHttpSession');
  if (https.length > 1 || list.arguments.some(({ type }) => type === 'SpreadElement')) {
    return undecided(context, mention, 'source', 'the sources of this withUserFrom cannot be told apart here');
  }
  if (target === 'dual') return besideToken(mention, context.source.startOfArgument(list, outermost(context.source, http)));
  return withoutSession(context, mention, { list, http, token, hasOthers: calls.length > (token ? 2 : 1) });
}

function besideToken(mention: Mention, start: number): Decision {
  return {
    mention,
    needs: ['fromToken'],
    stays: true,
    findings: [],
    write: (edits, nameOf) => edits.insert(start, `${nameOf('fromToken')}(), `),
  };
}

function withoutSession(context: Context, mention: Mention, sources: Sources): Decision {
  const { source } = context;
  const { list, http, token, hasOthers } = sources;
  const [given] = http.arguments;
  const options = given && httpOptionsOf(given);
  if (token === undefined && given !== undefined && options === undefined) {
    return undecided(
      context,
      mention,
      'options-unknown',
      'what of its options fromToken may take cannot be told here: it takes { tokens, from, revalidate }',
    );
  }
  const place = placeOf(context, list);
  const { handlers, isSeen } = handlersAt(context, place);
  const reads = httpSessionReadsOf(context, handlers);
  const readsSession = reads.at !== undefined;
  if (readsSession && given !== undefined && options === undefined) {
    const message =
      'a handler reads message.httpSession, and the options of fromHttpSession are made elsewhere: write compose(withUserFromToken(…), withHttpSession(…))';
    return undecided(context, mention, 'reads-http-session', message);
  }
  const isWrapper = !hasOthers && !commentsAround(context, list, (token ?? http).arguments[0]);
  const name = isWrapper ? 'withUserFromToken' : 'fromToken';
  const sessions = options?.sessions && `{ ${source.textOf(options.sessions)} }`;
  return {
    mention,
    needs: [...(isWrapper || token === undefined ? [name] : []), ...(readsSession ? namesToAdd(place) : [])],
    stays: false,
    absorbs: isWrapper ? [innermost(list.callee), ...(token ? [innermost(token.callee)] : [])] : [],
    findings: [...optionFindings(context, options ? [options] : [], readsSession), ...tokenFindings(context, mention, { reads, isSeen })],
    write(edits, nameOf) {
      if (isWrapper) writeWrapper(edits, nameOf, context, sources, options);
      else if (token !== undefined) edits.removeItems(list.arguments, new Set<Node>([http]));
      else {
        writeName(edits, context, mention, nameOf(name));
        if (options !== undefined) dropHttpOptions(edits, source, options, http);
      }
      if (readsSession) addHttpSession(edits, nameOf, place, sessions);
    },
  };
}

/** Whether the call holds comments that would be lost with all of it but `kept`. */
function commentsAround({ source }: Context, list: CallExpression, kept: Node | undefined): boolean {
  const { start, end } = kept ?? { start: list.end, end: list.end };
  return source.hasComment(list.start, start) || source.hasComment(end, list.end);
}

/** `withUserFrom(fromToken(options), …)` → `withUserFromToken(options)`. */
function writeWrapper(
  edits: Edits,
  nameOf: NameOf,
  { source }: Context,
  { list, http, token }: Sources,
  options: HttpOptions | undefined,
): void {
  const from = token ?? http;
  const types = from.typeArguments ? source.textOf(from.typeArguments) : '';
  const name = `${nameOf('withUserFromToken')}${types}`;
  const [given] = from.arguments;
  const isDropped = token === undefined && options?.dropped.length === options?.object.properties.length && options?.isBare !== false;
  if (given === undefined || (isDropped && !source.hasComment(given.start, given.end))) {
    edits.replace(list, types === '' ? name : `${name}()`);
    return;
  }
  edits.replace({ start: list.start, end: given.start }, `${name}(`);
  edits.replace({ start: given.end, end: list.end }, ')');
  if (token === undefined && options !== undefined) dropHttpOptions(edits, source, options, http);
}
