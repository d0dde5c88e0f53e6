import { ChannelServer, type Groups } from '../../../entries/index.js';

/** A server whose channels are in the lobby, and go into the groups that their messages name. */
export function chat(groups: Groups): ChannelServer {
  return new ChannelServer({
    connect: ({ channel }) => void groups.add('lobby', channel),
    receive: ({ channel, text }) => void groups.add(text, channel),
  });
}
