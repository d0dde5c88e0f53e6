import { anInteger, anything, checkedOptions, type Rules } from '../checked-options.js';
import type { TicketGrant, TicketStore } from '../contracts/ticket-store.js';
import type { Identification } from '../identity/identification.js';
import type { AnySource } from '../identity/user-source.js';
import { TICKET_STORE } from '../injection.js';
import type { ChannelServer } from '../server/channel-server.js';
import { answer, Refused } from './answer.js';
import { checkedKey } from './checked-answers.js';
import { type ExchangeHandler, exchangeRoute } from './exchange-route.js';
import { sourcesOf } from './exchange-sources.js';
import { runtimeOf } from './runtime-of.js';

/** Options of {@link ticketHandler}. */
export interface TicketHandlerOptions {
  /** Where tickets are kept. @default what is registered as `TICKET_STORE` */
  readonly tickets?: TicketStore | undefined;
  /**
   * Who sends the requests, as for `withUserFrom`.
   *
   * @default the sources of the server's wrappers; if these take only tickets, the HTTP session
   */
  readonly sources?: readonly [AnySource, ...AnySource[]] | undefined;
  /** How long the ticket can be used, in milliseconds, an integer from 1 to 600,000. @default 30,000 */
  readonly ttlMs?: number | undefined;
}

const rules: Rules<TicketHandlerOptions> = { tickets: anything, sources: anything, ttlMs: anInteger(1, 600_000) };

const owner = 'ticketHandler';

/**
 * Gives a client a ticket for its token or its log-in: `POST` → 200 and `{ ticket, expiresInMs }`. The channel that the ticket opens ends
 * with that token or HTTP session.
 *
 * Refuses by 405, 403 (another site's page), 401 (nobody) and 503. A ticket gives no ticket.
 *
 * @throws {TypeError} when an option is not what it must be, or no source is known.
 * @throws {ChannelError} `ERR_DEPENDENCY_MISSING`.
 */
export function ticketHandler(channels: ChannelServer, options: TicketHandlerOptions = {}): ExchangeHandler {
  const { tickets, sources, ttlMs = 30_000 } = checkedOptions(owner, options, rules);
  const runtime = runtimeOf(owner, channels);
  const names = { wrapper: owner, option: 'tickets', token: 'TICKET_STORE', method: 'issue' };
  const store = runtime.bind({ bind: (dependencies) => dependencies.require(tickets, TICKET_STORE, names) });
  const asked = sourcesOf(owner, runtime, sources, 'any');
  return exchangeRoute(owner, runtime, async (exchange) => {
    const grant = grantOf(await exchange.identify(asked));
    if (grant === undefined) throw new Refused(401);
    const issue = async (): Promise<string> => checkedKey(await store.issue(grant, ttlMs), 'tickets.issue: a ticket');
    const ticket = await exchange.ask('Issuing a ticket', issue);
    answer(exchange.request, exchange.response, 200, { ticket, expiresInMs: ttlMs });
  });
}

/** What a ticket stands for: a token says by itself when it ends, everything else is told with it. */
function grantOf({ user, tokenId, httpSessionId, authentication }: Identification): TicketGrant | undefined {
  if (!user.isAuthenticated) return undefined;
  if (authentication?.source === 'token') return { userId: user.id, tokenId };
  return { userId: user.id, httpSessionId, expiresAt: authentication?.expiresAt };
}
