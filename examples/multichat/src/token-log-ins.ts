import type { CookieOptions, Request } from 'express';
import type { ChannelServer, TokenIssuer } from 'ws-with';
import { deviceOf } from './device.js';
import { type LogIns, logInTtlMs } from './log-ins.js';

/** A log-in is a token, whose key travels in the cookie `key`. */
export function tokenLogIns(tokens: TokenIssuer, channels: ChannelServer, cookie: CookieOptions): LogIns {
  const idOf = async (request: Request) => (await channels.identify(request)).authentication.tokenId;
  const revoke = async (request: Request): Promise<void> => {
    const id = await idOf(request);
    if (id !== undefined) await tokens.revoke(id);
  };
  return {
    middleware: [],
    async begin(request, response, member) {
      await revoke(request);
      const { key } = await tokens.issue(member.id, { ttlMs: logInTtlMs, label: deviceOf(request.get('user-agent')) });
      response.cookie('key', key, { ...cookie, maxAge: logInTtlMs });
    },
    async listOf(member, request) {
      const [own, list] = await Promise.all([idOf(request), tokens.listOf(member.id)]);
      return list.map(({ id, label: device = 'A device', createdAt, lastUsedAt }) => ({
        id,
        isThis: id === own,
        device,
        createdAt,
        lastUsedAt,
        end: () => tokens.revoke(id),
      }));
    },
    async end(request, response) {
      await revoke(request);
      response.clearCookie('key', cookie);
    },
  };
}
