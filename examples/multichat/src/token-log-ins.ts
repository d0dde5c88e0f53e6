import type { IncomingMessage } from 'node:http';
import { fromToken, identifyUser, type TokenId, type TokenIssuer, type TokenRepository } from 'ws-with';
import { type LogIn, type LogIns, logInTtlMs } from './log-ins.js';
import type { Member } from './member.js';

/** A log-in is a token, whose key travels in the cookie `key`. */
export class TokenLogIns implements LogIns {
  readonly cookie = 'key';
  readonly #tokens: TokenRepository<Member> & TokenIssuer;

  constructor(tokens: TokenRepository<Member> & TokenIssuer) {
    this.#tokens = tokens;
  }

  async begin(member: Member, device: string): Promise<string> {
    const { key } = await this.#tokens.issue(member.id, { ttlMs: logInTtlMs, label: device });
    return key;
  }

  async memberOf(request: IncomingMessage): Promise<Member | undefined> {
    const { user } = await identifyUser(request, { sources: [fromToken({ tokens: this.#tokens })] });
    return user.isAuthenticated ? user : undefined;
  }

  async idOf(request: IncomingMessage): Promise<TokenId | undefined> {
    const { authentication } = await identifyUser(request, { sources: [fromToken({ tokens: this.#tokens })] });
    return authentication.tokenId;
  }

  async listOf(member: Member): Promise<readonly LogIn[]> {
    const tokens = await this.#tokens.listOf(member.id);
    return tokens.map(({ id, label = 'A device', createdAt, lastUsedAt }) => ({ id, device: label, createdAt, lastUsedAt }));
  }

  async end(request: IncomingMessage): Promise<void> {
    const id = await this.idOf(request);
    if (id !== undefined) await this.#tokens.revoke(id);
  }

  async endOneOf(member: Member, id: string): Promise<boolean> {
    const token = (await this.#tokens.listOf(member.id)).find((own) => own.id === id);
    return token !== undefined && this.#tokens.revoke(token.id);
  }

  async endAllOf(member: Member): Promise<void> {
    await this.#tokens.revokeAllOf(member.id);
  }
}
