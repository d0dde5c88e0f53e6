import type { ExportSpecifier } from 'oxc-parser';
import type { Context } from './context.js';
import { type Decision, kept, renamed, type Target, undecided } from './decision.js';
import { type Finding, findingAt } from './finding.js';
import { decideSource } from './source-decision.js';
import { exportNameOf } from './syntax.js';
import { decideWrapper } from './wrapper-decision.js';
import type { Mention } from './ws-with-names.js';

/** What identifies by HTTP sessions, and what identifies by tokens in the same way. */
const wrappers: ReadonlyMap<string, string> = new Map([
  ['withUserFromHttp', 'withUserFromToken'],
  ['withHttpUser', 'withUserFromToken'],
]);

const types: ReadonlyMap<string, string> = new Map([
  ['WithUserFromHttp', 'WithUserFromToken'],
  ['WithHttpUser', 'WithUserFromToken'],
  ['UserFromHttpCall', 'UserFromTokenCall'],
  ['HttpUserCall', 'UserFromTokenCall'],
]);

const optionTypes = new Set(['HttpOptions', 'HttpSourceOptions']);
const sessionWrappers = new Set(['withHttpSession', 'withChannelAndHttpSession']);

/** What becomes of a mention; `undefined` where it has nothing to do with who the user is. */
export function decide(context: Context, mention: Mention, target: Target): Decision | undefined {
  const { exported } = mention;
  const twin = wrappers.get(exported) ?? types.get(exported);
  if (sessionWrappers.has(exported)) return keptSession(context, mention);
  if (optionTypes.has(exported)) {
    return target === 'dual'
      ? undefined
      : undecided(context, mention, 'type', `${exported} types options that tokens do not have: theirs are TokenOptions`);
  }
  if (twin === undefined && exported !== 'fromHttpSession') return undefined;
  const specifier = specifierOf(context, mention);
  if (specifier !== undefined) return decideExport(context, mention, specifier, target === 'token' ? twin : undefined);
  if (twin === undefined) return decideSource(context, mention, target);
  if (wrappers.has(exported) && !isInType(context, mention)) return decideWrapper(context, mention, target);
  if (target === 'dual')
    return undecided(context, mention, 'type', `${exported} has no twin for several sources: withUserFrom(…) gives a Wrapper`);
  return renamed(context, mention, twin);
}

/** The specifier that exports the name. */
function specifierOf({ source }: Context, { node }: Mention): ExportSpecifier | undefined {
  const specifier = node.type === 'ExportSpecifier' ? node : source.parentOf(node);
  return specifier?.type === 'ExportSpecifier' ? specifier : undefined;
}

/**
 * Who imports the name from here may not be in sight: it is kept, and what it stands for changes only where it says nothing of sessions.
 */
function decideExport(context: Context, mention: Mention, specifier: ExportSpecifier, twin: string | undefined): Decision {
  const name = exportNameOf(specifier.exported);
  if (twin === undefined || name === mention.exported) {
    const message = `others import ${name} from here: export what takes its place, too, and let them import that`;
    return undecided(context, mention, mention.binding === undefined ? 're-export' : 'export', message);
  }
  const message = `whoever imports ${name} from here gets ${twin} now`;
  const finding: Finding = findingAt(context.source, specifier, { code: 're-export', kind: 'look', message });
  return renamed(context, mention, twin, [finding]);
}

function isInType({ source }: Context, { node }: Mention): boolean {
  const parent = source.parentOf(node);
  return (
    node.type === 'TSImportType' ||
    node.type === 'TSQualifiedName' ||
    /^TS(TypeQuery|TypeReference|QualifiedName|ImportEqualsDeclaration)$/.test(parent?.type ?? '')
  );
}

/** Wrappers that give the web site's session and no user do not hinder tokens. */
function keptSession(context: Context, mention: Mention): Decision {
  const message = `${mention.exported} stays: it gives the HTTP session whoever the user is. A client that has only a token has none, and gets undefined`;
  return kept(context, mention, { code: 'http-session-kept', kind: 'look', message });
}
