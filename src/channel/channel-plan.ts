import type { HttpSessionReader } from '../contracts/http-session-reader.js';
import type { Dependencies } from '../dependencies.js';
import type { CredentialSource } from '../identity/credentials.js';
import { type Revalidate, stricter } from '../identity/revalidation.js';
import type { BoundSource, UserSource } from '../identity/user-source.js';
import type { ChannelSessionOptions } from '../session/session-settings.js';
import { checkIdentities, isSame } from './check-identities.js';
import { slotNames } from './check-slot-names.js';
import type { InboxLimits } from './inbox.js';
import type { IdentificationRequirement, KnownRequirement } from './requirement-kinds.js';
import type { SlotFunction, Slots } from './slots.js';

/** Something that depends on what a server resolves. */
export interface Bindable<Bound> {
  bind(dependencies: Dependencies): Bound;
  /** Where it looks for tokens. */
  readonly credentials?: readonly CredentialSource[];
}

/** Resolves what something depends on, once per server. */
export type Bind = <Bound>(bindable: Bindable<Bound>) => Bound;

/** The options of every `withChannelSession` that the slots can see. */
export function sessionOptionsOf({ requirements }: Slots): readonly ChannelSessionOptions[] {
  return all(requirements)
    .filter((requirement) => requirement.kind === 'session')
    .map(({ options }) => options);
}

function identificationsOf(requirements: readonly KnownRequirement[]): readonly IdentificationRequirement[] {
  return requirements.filter((requirement) => requirement.kind === 'identification');
}

/** Everywhere that a wrapper of the slots looks for tokens. */
export function credentialsOf({ requirements }: Slots): readonly CredentialSource[] {
  return identificationsOf(all(requirements)).flatMap(({ sources }) => sources.flatMap(({ credentials }) => credentials));
}

/** What a server found out about its handlers when it was built. */
export interface ChannelPlan {
  readonly connect: SlotFunction | undefined;
  readonly receive: SlotFunction | undefined;
  readonly disconnect: SlotFunction | undefined;
  /** The sources that identify a channel; `undefined` where no wrapper does. */
  readonly sources: readonly BoundSource[] | undefined;
  /** How often each of them is asked again, as its wrappers say: the strictest counts, whichever slot it stands in. */
  readonly revalidations: ReadonlyMap<BoundSource, Revalidate>;
  /** The sources of each wrapper of connect that identifies, as it was given them: they were compared when the server was built. */
  readonly seen: ReadonlySet<readonly UserSource[]>;
  /** Whether a wrapper inside another of connect identifies, in its place among them; else that is done before connect is called. */
  readonly identifiesInside: boolean;
  /** Whether a wrapper of any slot wants the channel session. */
  readonly wantsSession: boolean;
  /** The reader of HTTP sessions, where any slot wants them. */
  readonly reader: HttpSessionReader | undefined;
  readonly inbox: InboxLimits;
}

/** What the server needs to know of its slots for each channel; everything that they depend on is resolved. */
export function planChannels(slots: Slots, settings: Omit<InboxLimits, 'mayOrder'>, bind: Bind): ChannelPlan {
  const { functions, requirements, identifiesFirst } = slots;
  const every = all(requirements);
  const ofConnect = identificationsOf(requirements.connect);
  const [first] = identificationsOf(every); // of connect, else of receive, else of disconnect
  const sources = first?.sources.map((source) => bind(source));
  for (const name of slotNames) checkIdentities(name, requirements[name], sources, bind);
  const ordering = requirements.receive.filter(({ kind }) => kind === 'ordering');
  const isAlwaysOrdered = ordering.some(({ sometimes }) => sometimes !== true);
  const { maxQueuedBytes, maxQueuedMessages } = settings;
  const concurrency = isAlwaysOrdered ? 1 : settings.concurrency;
  return Object.freeze({
    ...functions,
    sources,
    revalidations: revalidationsOf(sources ?? [], every, bind),
    seen: new Set(ofConnect.map((requirement) => requirement.sources)),
    identifiesInside: ofConnect.length > 0 && !identifiesFirst,
    wantsSession: every.some(({ kind }) => kind === 'session'),
    reader: readerOf(every, bind),
    inbox: Object.freeze({ maxQueuedBytes, maxQueuedMessages, concurrency, mayOrder: concurrency > 1 && ordering.length > 0 }),
  });
}

function revalidationsOf(
  sources: readonly BoundSource[],
  requirements: readonly KnownRequirement[],
  bind: Bind,
): ReadonlyMap<BoundSource, Revalidate> {
  const asked = identificationsOf(requirements).flatMap((requirement) => requirement.sources.map((source) => bind(source)));
  const found = new Map<BoundSource, Revalidate>();
  for (const source of sources) {
    let strictest: Revalidate | undefined;
    for (const other of asked) if (isSame(source, other)) strictest = stricter(strictest, other.revalidate);
    if (strictest !== undefined) found.set(source, strictest);
  }
  return found;
}

/** The reader of the web site's sessions, if a wrapper wants it. */
function readerOf(requirements: readonly KnownRequirement[], bind: Bind): HttpSessionReader | undefined {
  let first: { readonly reader: HttpSessionReader; readonly wrapper: string } | undefined;
  for (const requirement of requirements) {
    if (requirement.kind !== 'http-session') continue;
    const { reader } = bind(requirement);
    const { wrapper } = requirement;
    first ??= { reader, wrapper };
    if (reader === first.reader) continue;
    throw new TypeError(
      `ChannelServer: ${first.wrapper} and ${wrapper} read HTTP sessions through different readers: give all the same sessions, a server ` +
        'has one reader',
    );
  }
  return first?.reader;
}

function all(requirements: Slots['requirements']): KnownRequirement[] {
  return slotNames.flatMap((name) => requirements[name]);
}
