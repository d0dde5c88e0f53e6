import type { Channel } from '../messages.js';
import type { TokenId } from '../token-id.js';

/**
 * The channels of a server. Iteration, {@link size} and {@link get} know only live ones: those whose connect has succeeded and whose
 * connection is not gone. The other members also find channels that are still connecting, so that a log-out reaches them too. For these,
 * `close` is a refusal.
 */
export interface Channels extends Iterable<Channel> {
  /** How many are live. */
  readonly size: number;
  /** The live channel with this id. */
  get(id: string): Channel | undefined;
  /**
   * How many live channels each source has identified, by its name, and how many are `anonymous`. It shows how far a migration is. It looks
   * at every channel.
   */
  countBySource(): Readonly<Record<string, number>>;
  /**
   * The channels of a user, in the order in which they came. A channel whose user is just being looked up is not among them. To end all,
   * call `disconnectUser` of the server, which does not miss it.
   */
  ofUser(userId: string): readonly Channel[];
  /** The channels that a token identified, or that have presented it and are connecting, in the order in which they came. */
  ofToken(tokenId: TokenId): readonly Channel[];
  /** The channels that a session of the web site identified, or is about to, in the order in which they came. */
  ofHttpSession(id: string): readonly Channel[];
}
