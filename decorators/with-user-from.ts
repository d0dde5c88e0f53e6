import { channelMessage } from '../src/channel/channel-message.js';
import { giveUser } from '../src/channel/give.js';
import type { IdentificationRequirement, SessionRequirement } from '../src/channel/requirement-kinds.js';
import { checkSources } from '../src/identity/check-sources.js';
import type { AnySource, SourceAdds, SourceUser, UserSource } from '../src/identity/user-source.js';
import type { HasChannelSession } from '../src/messages.js';
import { checkSessionOptions } from '../src/session/session-settings.js';
import type { HasUser } from '../src/users.js';
import { defineBefore } from '../src/wrapping/define-wrapper.js';
import type { Wrapper } from '../src/wrapping/wrapper.js';
import { httpParts } from './http-parts.js';

/** What every identifying wrapper needs of a server; the session that it brings says nothing about its options. */
export function identifying(wrapper: string, sources: readonly UserSource[]): (IdentificationRequirement | SessionRequirement)[] {
  return [
    { kind: 'identification', sources },
    { kind: 'session', options: checkSessionOptions(wrapper) },
  ];
}

/**
 * Gives a handler its channel's session and its user, found by the first of `sources` that yields one: `fromToken(…)`, `fromHttpSession(…)`. A
 * source that fails (503) stops the search. If none yields a user, `message.authentication` tells what the first that presented
 * something came to. It is what a migration uses: both kinds of client are served by one handler.
 *
 * Identification happens once, at connect; on later messages it gives what the channel knows, and the HTTP session read again.
 *
 * @throws {TypeError} when there is no source, or something that is none.
 */
export function withUserFrom<Sources extends readonly [AnySource, ...AnySource[]]>(
  ...sources: Sources
): Wrapper<HasChannelSession & HasUser<SourceUser<Sources>> & SourceAdds<Sources>> {
  checkSources('withUserFrom', sources);
  const http = httpParts('withUserFrom', sources);
  return defineBefore('withUserFrom', {
    prepare: () => undefined,
    requires: () => [...identifying('withUserFrom', sources), ...http.requires],
    before: (message) => http.before(channelMessage('withUserFrom', message), (known) => giveUser('withUserFrom', known, sources)),
  }) as Wrapper<HasChannelSession & HasUser<SourceUser<Sources>> & SourceAdds<Sources>>;
}
