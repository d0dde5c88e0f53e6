import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  type Channel,
  ChannelServer,
  compose,
  type DisconnectMessage,
  fromHttpSession,
  fromToken,
  type HasChannelSession,
  type ReceiveMessage,
  type SessionStore,
  type TokenId,
  type TokenRepository,
  type UserRepository,
  withAuthenticatedUser,
  withChannelSession,
  withUserFrom,
} from '../../../entries/index.js';
import { MemoryHttpSessionReader, MemorySessionStore, MemoryTokenRepository, MemoryUserRepository } from '../../../entries/memory.js';
import { connectTo, type TestClient, TestClock } from '../../../entries/testing.js';
import { sharedSessionId } from '../../../src/session/session-id.js';
import { countingStore } from '../../support/counting-store.js';
import { deferred } from '../../support/deferred.js';

export type Act = 'is quick' | 'is slow' | 'hangs' | 'throws' | 'throws late' | 'closes its channel';
export type Failure = 'before' | 'after';

/** A log-in, as it ought to be: through tokens that were rotated into one another, or through a session of the web site. */
export interface LogIn {
  readonly user: string;
  readonly isHttp: boolean;
  /** The cookie that a client presents now. */
  cookies: Record<string, string>;
  /** The ids of its tokens, or that of its session. */
  readonly ids: Set<string>;
  /** When the latest of its tokens ends, on the clock. */
  endsAt: number;
  /** When the last of them all ends: channels may live by any of them as long as nobody can be asked. */
  lastEndsAt: number;
  hasEnded: boolean;
}

/** A connection, as it ought to be: what a handler of it breaks goes to the site's `violations`. */
export class Visit {
  readonly logIn: LogIn;
  /** The id of what it presented. */
  readonly presented: string;
  client: TestClient | undefined;
  channel: Channel | undefined;
  /** It has lost the right to speak: nothing may start any more, and nothing may be sent. */
  isOut: boolean;
  /** Something else may have ended it. */
  mayHaveEnded = false;
  /** It may live by a former token of its log-in, whichever that has now. */
  mayLiveByFormer = false;
  /** Whether its connect handler is done. */
  hasConnected = false;
  /** Whether it was found among the live channels. */
  wasLive = false;
  sent = 0;
  started = 0;
  running = 0;
  disconnects = 0;

  constructor(logIn: LogIn, isOut: boolean) {
    this.logIn = logIn;
    this.presented = [...logIn.ids].at(-1) ?? '';
    this.isOut = isOut;
  }
}

const plusOne = (value: unknown): number => Number(value ?? 0) + 1;
const append = (id: string) => (ids: unknown) => [...((ids as readonly string[] | undefined) ?? []), id];
const cannotBeAsked = async (): Promise<never> => {
  throw new Error('cannot be asked');
};

/** A server with three log-ins of two users, everything that it asks some turns of the event loop away, and a model of who may speak. */
export class ModelledSite {
  readonly clock = new TestClock();
  readonly users = new MemoryUserRepository();
  readonly tokens = new MemoryTokenRepository({ users: this.users, clock: this.clock });
  readonly sessions = new MemoryHttpSessionReader({ clock: this.clock });
  readonly store = new MemorySessionStore({ clock: this.clock });
  readonly server: ChannelServer;
  readonly logIns: LogIn[] = [];
  readonly visits: Visit[] = [];
  readonly violations: string[] = [];
  readonly errors: unknown[] = [];
  /** What handlers that succeeded have added to the session of a user. */
  readonly succeeded = new Map<string, Set<string>>([
    ['ann', new Set()],
    ['bob', new Set()],
  ]);
  readonly deletedUsers = new Set<string>();
  readonly #byChannel = new Map<string, Visit>();
  readonly #turns: readonly number[];
  #asked = 0;
  /** What handlers wait for that hang. */
  #gate = deferred();
  storeFailure: Failure | undefined;
  isRepositoryDown = false;
  hasFailed = false;
  isClosing = false;

  constructor(turns: readonly number[]) {
    this.#turns = turns;
    const who = { tokens: this.#farTokens(), users: this.#farUsers(), sessions: this.#farSessions() };
    const wrapped = compose(
      withUserFrom(fromToken({ tokens: who.tokens }), fromHttpSession({ sessions: who.sessions, users: who.users })),
      withAuthenticatedUser,
      withChannelSession({ store: this.#farStore(), scope: 'user' }),
    );
    this.server = new ChannelServer(
      {
        connect: wrapped((message: { channel: Channel; request: { url?: string | undefined } }) => this.#connect(message)),
        receive: withChannelSession((message) => this.#receive(message)),
        disconnect: (message) => this.#disconnect(message),
      },
      { clock: this.clock, onError: (error) => void this.errors.push(error), onWarning: () => undefined },
    );
  }

  /** Users and their log-ins; what ends is heard of here before the server does. */
  async begin(ttlMs: number): Promise<void> {
    for (const id of ['ann', 'bob']) this.users.set({ id, isAuthenticated: true });
    await this.tokens.revocations.subscribe(
      (revocation) => {
        if ('tokenId' in revocation && revocation.hint !== true) this.#ended(revocation.tokenId);
      },
      () => undefined,
    );
    for (const user of ['ann', 'bob']) {
      const { key, id } = await this.tokens.issue(user, { ttlMs });
      const endsAt = this.clock.now() + ttlMs;
      this.logIns.push({ user, isHttp: false, cookies: { key }, ids: new Set([id]), endsAt, lastEndsAt: endsAt, hasEnded: false });
    }
    const id = this.sessions.create('ann');
    const endsAt = Number.POSITIVE_INFINITY;
    this.logIns.push({
      user: 'ann',
      isHttp: true,
      cookies: { sessionid: id },
      ids: new Set([id]),
      endsAt,
      lastEndsAt: endsAt,
      hasEnded: false,
    });
  }

  releaseHung(): void {
    this.#gate.resolve();
    this.#gate = deferred();
  }

  /** A channel that has not gone over to it yet hears of it with its next look-up. */
  #ended(tokenId: TokenId): void {
    for (const logIn of this.logIns) if (logIn.ids.has(tokenId)) logIn.hasEnded = true;
    this.putOut(({ channel, presented }) => (channel?.tokenId ?? presented) === tokenId);
  }

  /** The log-in counts no more, whichever of its tokens channels live by. */
  end(logIn: LogIn): void {
    logIn.hasEnded = true;
    this.putOut((visit) => visit.logIn === logIn);
  }

  /** All look-ups are answered. */
  async settle(): Promise<void> {
    for (let left = 8; left > 0; left -= 1) await this.clock.advance(0);
    const now = this.clock.now();
    // whose token has just come to its end has a second more
    if (!this.hasFailed) this.putOut(({ logIn }) => logIn.hasEnded && now < logIn.endsAt);
  }

  /** Those who are there now and to whom this applies have lost the right to speak. */
  putOut(applies: (visit: Visit) => boolean): void {
    for (const visit of this.visits) if (applies(visit)) visit.isOut = true;
  }

  /** Begins to connect. */
  connect(logIn: LogIn): void {
    const isOver = this.clock.now() >= logIn.endsAt;
    const visit = new Visit(logIn, logIn.hasEnded || isOver || this.isClosing);
    visit.mayHaveEnded = this.deletedUsers.has(logIn.user); // unless the user is there again when it is looked up
    this.visits.push(visit);
    const url = `/?visit=${this.visits.length - 1}`;
    void connectTo(this.server, { cookies: logIn.cookies, url }).then((client) => {
      visit.client = client;
    });
  }

  /** What the client sends is not waited for. */
  send(visit: Visit, acts: readonly Act[]): void {
    for (const act of acts) this.#send(visit, act);
  }

  #send(visit: Visit, act: Act): void {
    if (visit.client === undefined || visit.client.closed !== undefined || visit.client.refusal !== undefined) return;
    if (act === 'hangs' || act.startsWith('throws') || act === 'closes its channel') visit.mayHaveEnded = true;
    void visit.client.send(JSON.stringify({ number: visit.sent, act }));
    visit.sent += 1;
  }

  leave(visit: Visit, code: number): void {
    visit.mayHaveEnded = true;
    void visit.client?.disconnect(code);
  }

  failStore(when: Failure): void {
    this.storeFailure = when;
    this.hasFailed = true;
  }

  failRepositories(isDown: boolean): void {
    this.isRepositoryDown = isDown;
    this.hasFailed ||= isDown;
  }

  /** Looks at what there is: a channel of one who is out takes nothing, and is gone from among the live ones. */
  look(): void {
    for (const visit of this.visits) {
      const { channel, isOut } = visit;
      if (channel === undefined) continue;
      if (isOut && channel.send('after')) this.violations.push('something was sent to one who is out');
      visit.wasLive ||= this.server.channels.get(channel.id) !== undefined;
    }
  }

  /** What the session of a user holds; a violation where it is there by halves. */
  async sessionIdsOf(user: string): Promise<readonly string[]> {
    const owner = { user: { id: user, isAuthenticated: true as const }, tokenId: undefined, httpSessionId: undefined };
    const stored = await this.store.load(sharedSessionId(owner, 'user') as string);
    const { left = 0, right = 0, ids = [] } = { ...stored?.data } as { left?: number; right?: number; ids?: readonly string[] };
    if (left !== right || left !== ids.length) this.violations.push('a message was saved by halves');
    return ids;
  }

  #connect({ channel, request }: { channel: Channel; request: { url?: string | undefined } }): Promise<void> {
    const visit = this.visits[Number(new URL(String(request.url), 'http://localhost').searchParams.get('visit'))] as Visit;
    this.#byChannel.set(channel.id, visit);
    visit.channel = channel;
    if (visit.isOut) this.violations.push('connect started for one who is out');
    return this.#far().then(() => {
      visit.hasConnected = true;
    });
  }

  async #receive(message: ReceiveMessage & HasChannelSession): Promise<void> {
    const visit = this.#byChannel.get(message.channel.id) as Visit;
    const { number, act } = message.json() as { number: number; act: Act };
    this.#starts(visit, number);
    try {
      await this.#handle(message, visit, `${this.visits.indexOf(visit)}/${number}`, act);
    } finally {
      visit.running -= 1;
    }
  }

  #starts(visit: Visit, number: number): void {
    if (visit.isOut) this.violations.push('receive started for one who is out');
    if (!visit.hasConnected) this.violations.push('receive started before connect was done');
    if (visit.disconnects > 0) this.violations.push('receive started after disconnect');
    if (visit.running > 0) this.violations.push('two receives at a time');
    if (number !== visit.started) this.violations.push(`receive ${number} started as the ${visit.started}th`);
    visit.started += 1;
    visit.running += 1;
  }

  async #handle(
    { channel, channelSession: session }: ReceiveMessage & HasChannelSession,
    visit: Visit,
    id: string,
    act: Act,
  ): Promise<void> {
    if (session.get('left') !== session.get('right')) this.violations.push('a session was seen by halves');
    session.update('left', plusOne);
    channel.send(`begins ${id}`);
    if (act === 'throws') throw new Error('of a handler');
    if (act === 'hangs') await this.#gate.promise;
    else if (act !== 'is quick') await this.#far();
    if (act === 'throws late') throw new Error('of a handler');
    session.update('right', plusOne);
    session.update('ids', append(id));
    const isTaken = channel.send(`ends ${id}`);
    if (visit.isOut && isTaken) this.violations.push('something was sent to one who is out');
    if (act === 'closes its channel') channel.close(4000, 'enough');
    this.succeeded.get(visit.logIn.user)?.add(id);
  }

  #disconnect({ channel }: DisconnectMessage): void {
    const visit = this.#byChannel.get(channel.id) as Visit;
    visit.disconnects += 1;
    if (visit.disconnects > 1) this.violations.push('disconnect ran twice');
    if (!visit.hasConnected) this.violations.push('disconnect ran although connect was not done');
    if (channel.send('late')) this.violations.push('something was sent in disconnect');
  }

  /** How many turns it takes this time. */
  #delay(): number {
    this.#asked += 1;
    return this.#turns[this.#asked % this.#turns.length] as number;
  }

  async #far(): Promise<void> {
    for (let left = this.#delay(); left > 0; left -= 1) await nextTurn();
  }

  /** Asks somebody far away: it takes a while until the question is there, and until the answer is back. */
  async #ask<T>(question: () => Promise<T>): Promise<T> {
    await this.#far();
    const answer = await (this.isRepositoryDown ? cannotBeAsked() : question());
    await this.#far();
    return answer;
  }

  #farTokens(): TokenRepository {
    const { tokens } = this;
    return {
      findById: (id) => this.#ask(() => tokens.findById(id)),
      findByIds: (ids) => this.#ask(() => tokens.findByIds(ids)),
      revocations: tokens.revocations,
    };
  }

  #farUsers(): UserRepository {
    const { users } = this;
    return {
      findById: (id) => this.#ask(() => users.findById(id)),
      findByIds: (ids) => this.#ask(() => users.findByIds(ids)),
      revocations: users.revocations,
    };
  }

  #farSessions(): Pick<MemoryHttpSessionReader, 'read' | 'readById' | 'readByIds' | 'revocations'> {
    const { sessions } = this;
    return {
      read: (request) => this.#ask(() => sessions.read(request)),
      readById: (id) => this.#ask(() => sessions.readById(id)),
      readByIds: (ids) => this.#ask(() => sessions.readByIds(ids)),
      revocations: sessions.revocations,
    };
  }

  #farStore(): SessionStore {
    const { store } = countingStore(this.store, () => this.#delay());
    const unlessItFails = async (write: () => Promise<void>): Promise<void> => {
      const failure = this.storeFailure;
      this.storeFailure = undefined;
      if (failure !== 'before') await write();
      if (failure !== undefined) await cannotBeAsked();
    };
    return {
      ...store,
      create: (id, session) => unlessItFails(() => store.create(id, session)),
      save: (id, session, version) => unlessItFails(() => store.save(id, session, version)),
    };
  }
}
