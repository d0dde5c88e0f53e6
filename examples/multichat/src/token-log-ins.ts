import type { IncomingMessage } from 'node:http';
import { type ChannelServer, fromToken, identifyUser, type TokenId, type TokenIssuer, type TokenRepository } from 'ws-with';
import { closeLoggedOut, type LogIns, logInTtlMs } from './log-ins.js';
import type { Member } from './member.js';

/** A log-in is a token, whose key travels in the cookie `key`. */
export class TokenLogIns implements LogIns {
  readonly cookie = 'key';
  readonly #tokens: TokenRepository<Member> & TokenIssuer;

  constructor(tokens: TokenRepository<Member> & TokenIssuer) {
    this.#tokens = tokens;
  }

  async begin(member: Member): Promise<string> {
    const { key } = await this.#tokens.issue(member.id, { ttlMs: logInTtlMs, label: 'MultiChat' });
    return key;
  }

  async memberOf(request: IncomingMessage): Promise<Member | undefined> {
    const { user } = await identifyUser(request, { sources: [fromToken({ tokens: this.#tokens })] });
    return user.isAuthenticated ? user : undefined;
  }

  async end(request: IncomingMessage, channels: ChannelServer['channels']): Promise<void> {
    const { authentication } = await identifyUser(request, { sources: [fromToken({ tokens: this.#tokens })] });
    if (authentication.tokenId === undefined) return;
    await this.#tokens.revoke(authentication.tokenId);
    this.ended(authentication.tokenId, channels);
  }

  ended(id: string, channels: ChannelServer['channels']): void {
    closeLoggedOut(channels.ofToken(id as TokenId));
  }

  async closeEnded(channels: ChannelServer['channels']): Promise<void> {
    const ids = new Set([...channels].flatMap(({ tokenId }) => tokenId ?? []));
    const check = async (id: TokenId): Promise<void> => {
      const grant = await this.#tokens.findById(id);
      if (grant === undefined || grant.revokedAt !== undefined) this.ended(id, channels);
    };
    await Promise.all([...ids].map(check));
  }
}
