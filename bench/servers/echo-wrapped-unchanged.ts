// The same work with wrapped handlers, but the count is kept beside the session, which is read and never changed.
import type { Channel } from 'ws-with';
import { answer, serveWrapped } from './wrapped.js';

const counts = new WeakMap<Channel, number>();

serveWrapped((message) => {
  const start = (message.channelSession.get('start') as number | undefined) ?? 0;
  const count = (counts.get(message.channel) ?? start) + 1;
  counts.set(message.channel, count);
  answer(message, count);
});
