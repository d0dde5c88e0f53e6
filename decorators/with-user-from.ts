import { checkNoOptions, defineBuiltIn } from '../src/channel/define-built-in.js';
import { checkedSources } from '../src/identity/checked-sources.js';
import type { AnySource, SourceAdds, SourceUser } from '../src/identity/user-source.js';
import type { HasChannelSession } from '../src/messages.js';
import type { HasUser } from '../src/users.js';
import { markFactories } from '../src/wrapping/made-function.js';
import type { NoOptions, Wrapper } from '../src/wrapping/wrapper.js';
import { identifyingParts } from './identifying-parts.js';

/**
 * Gives a handler its channel's session and its user, found by the first of `sources` that yields one: `fromToken(…)`,
 * `fromHttpSession(…)`. A source that fails (503) stops the search. If none yields a user, `message.authentication` is that of the first
 * source for which something was presented. With it, one handler serves both kinds of client during a migration.
 *
 * Identification happens once, at connect. Later messages get what the channel knows, and the HTTP session read again.
 *
 * @throws {TypeError} when there is no source, or one of them is not a source.
 */
export function withUserFrom<Sources extends readonly [AnySource, ...AnySource[]]>(
  ...sources: Sources
): Wrapper<HasChannelSession & HasUser<SourceUser<Sources>> & SourceAdds<Sources>> {
  const name = 'withUserFrom';
  checkedSources(name, sources);
  return defineBuiltIn(
    name,
    identifyingParts<NoOptions>((given) => {
      checkNoOptions(given, name);
      return sources;
    }),
  );
}

markFactories(withUserFrom);
