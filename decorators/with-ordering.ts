import { ChannelReceiveMessage } from '../src/channel/channel-message.js';
import { defineBuiltIn } from '../src/channel/define-built-in.js';
import type { Configurable, NoOptions } from '../src/wrapping/wrapper.js';

/**
 * Runs its handler alone: after all earlier messages of the channel, before all later ones. By default every handler does; the wrapper
 * matters with a `concurrency` above 1. A throw never stalls the channel.
 *
 * Ports `enforce_ordering` of Channels 1.1.8 (`channels/sessions.py`), where a throw stalls the channel for good.
 */
export const withOrdering: Configurable<NoOptions> = defineBuiltIn('withOrdering', {
  requires: () => [{ kind: 'ordering' }],
  before: (message) => {
    if (!(message instanceof ChannelReceiveMessage)) return undefined;
    // an outer wrapper may have given the session before the messages waited for have saved theirs
    return message.channel.inbox.orderAlone(message)?.then(() => message.refreshDraft());
  },
});
