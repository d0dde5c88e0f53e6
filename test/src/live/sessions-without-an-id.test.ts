import { describe, expect, it } from 'vitest';
import {
  type AuthenticatedUser,
  ChannelServer,
  type ChannelServerOptions,
  type HttpSession,
  type HttpSessionReader,
  type UserRepository,
  withHttpSession,
  withUserFromHttp,
} from '../../../entries/index.js';
import { MemoryUserRepository } from '../../../entries/memory.js';
import { connectTo, type TestClient, TestClock } from '../../../entries/testing.js';
import { closeWithTest, inactive, ScriptedFeed, stale } from './watched.js';

/** Reads sessions that stand whole in a cookie, as those of cookie-session and of iron-session do. */
const sessions: HttpSessionReader = {
  async read({ headers: { cookie } }): Promise<HttpSession | undefined> {
    const userId = cookie?.replace('session=', '');
    return userId === undefined
      ? undefined
      : { id: undefined, userId, data: { userId }, save: () => Promise.reject(new Error('read-only')) };
  },
  readById: () => Promise.reject(new Error('there is nothing to be asked for by an id')),
};

/** Users who are found by another name than their id, where they have one. */
class People implements UserRepository {
  readonly known = new Map<string, string>();
  readonly asked: string[] = [];
  answers: Promise<unknown> = Promise.resolve();

  async findById(name: string): Promise<AuthenticatedUser | undefined> {
    this.asked.push(name);
    await this.answers;
    const id = this.known.get(name);
    return id === undefined ? undefined : { id, isAuthenticated: true };
  }
}

function serve(users: UserRepository, options: ChannelServerOptions = {}) {
  const clock = new TestClock();
  const errors: unknown[] = [];
  const server = new ChannelServer(
    {
      connect: withUserFromHttp({ sessions, users })(() => undefined),
      receive: withHttpSession({ sessions })((message) => message.channel.sendJson(message.httpSession?.data)),
    },
    { clock, onError: (error) => void errors.push(error), ...options },
  );
  closeWithTest(server, clock);
  const connect = (userId: string): Promise<TestClient> => connectTo(server, { cookies: { session: userId } });
  return { clock, errors, server, connect };
}

describe('a channel whose HTTP session has no id', () => {
  it('ends with the next sweep once its user is deleted or disabled, and nobody else does', async () => {
    const users = new MemoryUserRepository(['ann', 'bob'].map((id) => ({ id, isAuthenticated: true as const })));
    const { clock, connect, errors } = serve(users);
    const [ann, annAgain, bob] = await Promise.all(['ann', 'ann', 'bob'].map(connect));
    users.delete('ann');
    await clock.advance(60_000);
    expect([ann, annAgain, bob].map((client) => client?.closed)).toEqual([inactive, inactive, undefined]);
    await clock.advance(600_000);
    expect(bob?.closed).toBe(undefined);
    expect(errors).toEqual([]);
  });

  it('has the user who is found again, and its session as it was at connect', async () => {
    const users = new MemoryUserRepository([{ id: 'ann', isAuthenticated: true as const, role: 'reader' }]);
    const { clock, connect, server } = serve(users);
    const ann = await connect('ann');
    users.set({ id: 'ann', isAuthenticated: true, role: 'writer' });
    await clock.advance(60_000);
    expect(server.channels.ofUser('ann').map(({ user }) => user)).toMatchObject([{ role: 'writer' }]);
    await ann.send('what?');
    expect(ann.sent.at(-1)).toBe('{"userId":"ann"}');
  });

  it('is looked up by the name that the session has for its user, once for all channels of it', async () => {
    const users = new People();
    users.known.set('ann@example.com', '7');
    const { clock, connect } = serve(users);
    const clients = await Promise.all(['ann@example.com', 'ann@example.com'].map(connect));
    users.asked.length = 0;
    await clock.advance(60_000);
    expect(users.asked).toEqual(['ann@example.com']);
    expect(clients.map(({ closed }) => closed)).toEqual([undefined, undefined]);
  });

  it('is looked up when a feed hints at its user', async () => {
    const [users, revocations] = [new People(), new ScriptedFeed()];
    users.known.set('ann', 'ann');
    const { clock, connect } = serve(users, { revocations, revalidate: 'connect' });
    const ann = await connect('ann');
    users.known.clear();
    revocations.tell({ userId: 'ann', hint: true });
    await clock.advance(0);
    expect(ann.closed).toEqual(inactive);
  });

  it("is looked up before each message with revalidate: 'message'", async () => {
    const users = new People();
    users.known.set('ann', 'ann');
    const { connect } = serve(users, { revalidate: 'message' });
    const ann = await connect('ann');
    users.known.clear();
    await ann.send('what?');
    expect(ann.closed).toEqual(inactive);
    expect(ann.sent).toEqual([]);
  });

  it('ends once nobody could tell of its user for longer than maxStaleMs', async () => {
    const users = new People();
    users.known.set('ann', 'ann');
    const { clock, connect, errors } = serve(users, { maxStaleMs: 120_000 });
    const ann = await connect('ann');
    users.answers = Promise.reject(new Error('the database is gone'));
    users.answers.catch(() => undefined);
    await clock.advance(119_000);
    expect(ann.closed).toBe(undefined);
    await clock.advance(62_000);
    expect(ann.closed).toEqual(stale);
    expect(errors.length).toBeGreaterThan(0);
  });
});
