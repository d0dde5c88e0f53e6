import { describe, expect, it, vi } from 'vitest';
import {
  anonymousUser,
  type BaseMessage,
  compose,
  type HasUser,
  withHttpUser,
  withUserFromHttp,
  withUserFromToken,
} from '../../entries/index.js';
import { connectTo } from '../../entries/testing.js';
import type { HttpSession } from '../../src/contracts/http-session-reader.js';
import { alice, bob, bobKey, makeSite, type Site } from '../support/site.js';

/** What may be amiss when the client has gone. */
const unreadable: Readonly<Record<string, (site: Site, id: string) => void>> = {
  'the HTTP session cannot be read': ({ sessions }) => void vi.spyOn(sessions, 'readById').mockRejectedValue(new Error('down')),
  'its user cannot be looked up': ({ users }) => void vi.spyOn(users, 'findById').mockRejectedValue(new Error('down')),
};
const gone: Readonly<Record<string, (site: Site, id: string) => void>> = {
  'the HTTP session is gone': ({ sessions }, id) => sessions.destroy(id),
  'the HTTP session is somebody else’s, who cannot be looked up': ({ sessions, users }) => {
    const ofBob: HttpSession = { id: 'x', userId: 'bob', data: {}, save: async () => {} };
    vi.spyOn(sessions, 'readById').mockResolvedValue(ofBob);
    vi.spyOn(users, 'findById').mockRejectedValue(new Error('down'));
  },
};
type Wrap = (handler: (message: HasUser) => void) => (message: BaseMessage) => unknown;
const byItself = ({ sessions, users }: Site): Wrap => withHttpUser({ sessions, users });
/** The ways in which it runs on disconnect. */
const ways: Readonly<Record<string, (site: Site) => Wrap>> = {
  'by itself': byItself,
  'under withUserFromHttp': ({ sessions, users }) => compose(withUserFromHttp({ sessions, users }), withHttpUser({ sessions, users })),
};

/** The users of connect and disconnect of a channel that alice's HTTP session and bob's token come with. */
async function usersOf(site: Site, connect: Wrap, disconnect: Wrap, change: (site: Site, id: string) => void) {
  const seen: unknown[] = [];
  const note = ({ user }: HasUser): void => void seen.push(user);
  const id = site.sessions.create('alice');
  const cookies = { sessionid: id, key: bobKey };
  const client = await connectTo({ connect: connect(note), disconnect: disconnect(note) }, { ...site.options, cookies });
  change(site, id);
  await client.disconnect();
  return seen;
}

describe('the user of withHttpUser on disconnect', () => {
  it.each(Object.entries({ ...unreadable, ...gone }))(
    'is nobody where another credential identified the channel and %s',
    async (_what, change) => {
      const site = makeSite();
      expect(await usersOf(site, withUserFromToken({ tokens: site.tokens }), byItself(site), change)).toEqual([bob, anonymousUser]);
    },
  );

  describe.each(Object.entries(ways))('%s', (_way, wrap) => {
    it.each(Object.entries(unreadable))('is whom the channel knows by the HTTP session where %s', async (_what, change) => {
      const site = makeSite();
      const { sessions, users } = site;
      expect(await usersOf(site, withUserFromHttp({ sessions, users }), wrap(site), change)).toEqual([alice, alice]);
    });

    it.each(Object.entries(gone))('is nobody where %s', async (_what, change) => {
      const site = makeSite();
      const { sessions, users } = site;
      expect(await usersOf(site, withUserFromHttp({ sessions, users }), wrap(site), change)).toEqual([alice, anonymousUser]);
    });
  });
});

it('looks the user of a message up once where withHttpUser stands twice', async () => {
  const { sessions, users, options } = makeSite();
  const findById = vi.spyOn(users, 'findById');
  const twice: Wrap = (handler) => withHttpUser({ sessions, users })(withHttpUser({ sessions, users })(handler));
  const seen = vi.fn();
  const note = ({ user }: HasUser): void => seen(user);
  const client = await connectTo(
    { connect: twice(note), receive: twice(note) },
    { ...options, cookies: { sessionid: sessions.create('alice') } },
  );
  expect(findById).toHaveBeenCalledTimes(1);
  await client.send('anything');
  expect(findById).toHaveBeenCalledTimes(2);
  expect(seen.mock.calls).toEqual([[alice], [alice]]);
});
