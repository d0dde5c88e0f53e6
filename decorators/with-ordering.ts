import { ChannelReceiveMessage, channelMessage } from '../src/channel/channel-message.js';
import { defineBefore } from '../src/wrapping/define-wrapper.js';
import type { Configurable, NoOptions } from '../src/wrapping/wrapper.js';
import { checkNoOptions } from './no-options.js';

/**
 * Runs its handler alone: after all earlier messages of the channel, before all later ones. By default that is so for every handler; it
 * matters under a `concurrency` above 1. A throw never stalls the channel.
 *
 * Ports `enforce_ordering` of Channels 1.1.8 (`channels/sessions.py`), which a throw stalls for good.
 */
export const withOrdering: Configurable<NoOptions> = defineBefore('withOrdering', {
  prepare: (given) => checkNoOptions('withOrdering', given),
  requires: () => [{ kind: 'ordering' }],
  before: (message) => {
    const known = channelMessage('withOrdering', message);
    if (!(known instanceof ChannelReceiveMessage)) return undefined;
    // an outer wrapper may have given the session before the messages waited for have saved theirs
    return known.channel.inbox.orderAlone(known)?.then(() => {
      if (known.draft?.changes === undefined) known.draft?.discard();
    });
  },
}) as Configurable<NoOptions>;
