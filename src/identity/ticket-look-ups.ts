import { type AuthenticationOutcome, authenticationOf } from '../authentication.js';
import { checkedTicketGrant } from '../checked-ticket-grant.js';
import type { Clock } from '../contracts/clock.js';
import type { TicketGrant, TicketStore } from '../contracts/ticket-store.js';
import { foundOrMade } from '../found-or-made.js';
import type { TokenId } from '../token-id.js';
import { outcomeOf } from './checked-grant.js';
import { maxSuccessors, type Recheck, type Standing } from './recheck.js';
import { idOfHttpSession, idOfUser, recheckOfTickets, type TicketRepositories } from './ticket-recheck.js';
import type { Finding, HandshakeLookUps, KeyLookUps } from './user-source.js';

/** What a ticket was exchanged for, as it stands when the ticket is used. */
interface Held {
  readonly standing: Standing | undefined;
  readonly tokenId?: TokenId | undefined;
  readonly credentialId?: string | undefined;
}

/** What the tickets of one handshake stood for: whoever asks for one again is told the same. */
const consumed = new WeakMap<HandshakeLookUps, Map<TicketStore, Map<string, Promise<TicketGrant | undefined>>>>();

/** Finds the users of tickets. */
export class TicketLookUps {
  /** Looks up again what tickets were exchanged for, and tokens that came by themselves. */
  readonly recheck: Recheck;
  readonly #tickets: TicketStore;
  readonly #readsSessions: boolean;
  readonly #clock: Clock;

  /** @param owner whom errors name. */
  constructor(owner: string, tickets: TicketStore, repositories: TicketRepositories, clock: Clock) {
    this.recheck = recheckOfTickets(owner, repositories);
    this.#tickets = tickets;
    this.#readsSessions = repositories.sessions !== undefined;
    this.#clock = clock;
  }

  /** Uses a ticket up. A rejection means "cannot tell". */
  async find(ticket: string, lookUps: HandshakeLookUps): Promise<Finding> {
    const grant = await this.#consume(ticket, lookUps);
    if (grant === undefined) return finding('unknown');
    const { userId, tokenId, httpSessionId } = grant;
    lookUps.claim({ userId, tokenId, httpSessionId });
    const held = tokenId === undefined ? await this.#heldWithoutToken(grant, lookUps) : await this.#heldByToken(tokenId, grant, lookUps);
    const { standing } = held;
    const outcome = outcomeOf(standing, this.#clock);
    if (outcome !== 'ok') return finding(outcome, held);
    return standing?.user?.id === userId ? finding('ok', held, httpSessionId) : finding('revoked', held);
  }

  #consume(ticket: string, lookUps: HandshakeLookUps): Promise<TicketGrant | undefined> {
    const ofHandshake = foundOrMade(consumed, lookUps, () => new Map());
    const ofStore = foundOrMade(ofHandshake, this.#tickets, () => new Map());
    return foundOrMade(ofStore, ticket, () => consumeFrom(this.#tickets, ticket));
  }

  async #heldWithoutToken({ userId, expiresAt, httpSessionId }: TicketGrant, lookUps: KeyLookUps): Promise<Held> {
    const isReadAgain = httpSessionId !== undefined && this.#readsSessions;
    const credentialId = isReadAgain ? idOfHttpSession(httpSessionId) : idOfUser(userId);
    const standing = await this.#ask(credentialId, lookUps);
    return { credentialId, standing: standing && { ...standing, expiresAt } };
  }

  /** A token that was exchanged for another meanwhile is followed, as live channels do. A ticket is no use of its token's key. */
  async #heldByToken(first: TokenId, { httpSessionId }: TicketGrant, lookUps: HandshakeLookUps): Promise<Held> {
    const isOfSession = httpSessionId !== undefined && this.#readsSessions;
    const [standing, session] = await Promise.all([
      this.#ask(first, lookUps),
      isOfSession ? this.#ask(idOfHttpSession(httpSessionId), lookUps) : undefined,
    ]);
    if (isOfSession && session === undefined) return { tokenId: first, standing: undefined };
    let last = { tokenId: first, standing };
    for (let depth = 0; depth < maxSuccessors; depth += 1) {
      const tokenId = last.standing?.successorId;
      if (tokenId == null || outcomeOf(last.standing, this.#clock) === 'revoked') break;
      lookUps.claim({ tokenId });
      last = { tokenId, standing: await this.#ask(tokenId, lookUps) };
    }
    return outcomeOf(last.standing, this.#clock) === 'ok' ? last : { tokenId: first, standing };
  }

  async #ask(credentialId: string, { aborting }: KeyLookUps): Promise<Standing | undefined> {
    const standing = (await this.recheck.ask([{ id: credentialId }], aborting)).get(credentialId);
    if (standing instanceof Error) throw standing;
    return standing;
  }
}

async function consumeFrom(tickets: TicketStore, ticket: string): Promise<TicketGrant | undefined> {
  const grant: unknown = await tickets.consume(ticket);
  return grant == null ? undefined : checkedTicketGrant('tickets.consume', grant);
}

function finding(outcome: AuthenticationOutcome, held?: Held, httpSessionId?: string): Finding {
  const { standing, tokenId, credentialId } = held ?? {};
  const told = { outcome, source: 'token', carrier: 'ticket', tokenId } as const;
  if (outcome !== 'ok' || standing === undefined) return { user: undefined, authentication: authenticationOf(told) };
  const { user, expiresAt, scopes } = standing;
  return { user, authentication: authenticationOf({ ...told, expiresAt, scopes }), credentialId, httpSessionId };
}
