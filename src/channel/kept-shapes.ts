import { LocalSession } from '../session/local-session.js';
import { SessionDraft } from '../session/session-draft.js';
import { ChannelReceiveMessage } from './channel-message.js';

const kept: object[] = [];

/**
 * Keeps an object of each class of which every message makes one, for as long as the process runs. V8 forgets the shape of a class when a
 * full garbage collection finds none of its objects, and between messages there is none. If that happens before the seventh is made, V8
 * takes them for objects without members, and each later one has five times the size.
 */
export function keepShapes(): void {
  if (kept.length > 0) return;
  kept.push(Reflect.construct(ChannelReceiveMessage, [undefined, Buffer.alloc(0), false]), new SessionDraft(new LocalSession()));
}
