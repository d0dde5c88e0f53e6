import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  type ChannelHandlers,
  fromHttpSession,
  fromToken,
  type HasHttpSession,
  issueTokenHandler,
  type ReceiveMessage,
  revokeTokenHandler,
  withAuthenticatedUser,
  withChannelUser,
  withUserFrom,
} from '../../entries/index.js';
import { TestClock } from '../../entries/testing.js';
import { describeOnMongo, openDatabase } from '../adapters/mongodb/mongo.js';
import { expectProcessToLive } from '../support/site.js';
import { WsClient } from '../support/ws-client.js';
import { Browser, type Deployment, echo, greet, MovingSite, type Process } from './moving-site.js';

expectProcessToLive();

const minuteMs = 60_000;

describeOnMongo('of two tabs of which one logs out', () => {
  const { db } = openDatabase();
  const site = new MovingSite(db);
  const { users, tokens, sessions } = site;
  beforeAll(() => site.addUsers(['ada']));
  afterAll(() => site.tokens.close());

  const withMember = withUserFrom(fromToken({ tokens }), fromHttpSession({ sessions, users }));
  const connect = withMember(withAuthenticatedUser(greet));

  /** The other tab's channel, in a process whose clock stands still, and a way for the first tab to log out. */
  async function twoTabs(handlers: ChannelHandlers, routes?: Deployment['routes']) {
    const clock = new TestClock(Date.now());
    const process = await site.deploy({ handlers, ...(routes && { routes }), options: { clock, heartbeatMs: 0 } });
    const browser = new Browser();
    await browser.post(process, '/log-in/ada');
    const open = async (by: string): Promise<WsClient> => {
      const tab = await WsClient.connect(process.port, { cookie: browser.cookie });
      expect(await tab.nextJson()).toEqual({ hello: 'ada', by });
      return tab;
    };
    return { clock, process, browser, open };
  }

  /** The session is gone from the store, and nobody has told the channels. */
  async function logOut(browser: Browser, process: Process): Promise<void> {
    expect(await browser.post(process, '/log-out')).toBe(204);
    expect(await db.collection('sessions').countDocuments()).toBe(0);
  }

  it("ends the other's channel at its next message, where that comes first", async () => {
    const handled: unknown[] = [];
    const note = ({ httpSession, text }: ReceiveMessage & HasHttpSession): void => void handled.push([httpSession?.userId, text]);
    const { process, browser, open } = await twoTabs({ connect, receive: withMember(withAuthenticatedUser(note)) });
    const tab = await open('http-session');
    tab.send('before');
    await expect.poll(() => handled).toEqual([['ada', 'before']]);
    await logOut(browser, process);
    tab.send('after');
    expect(await tab.closed()).toEqual({ code: 3000, reason: 'session ended' });
    expect(handled).toEqual([['ada', 'before']]);
    expect(process.errors).toEqual([]);
  });

  it("ends the other's channel at its next message where that reads no session, with revalidate: 'message'", async () => {
    const handled: string[] = [];
    const strict = withUserFrom(fromToken({ tokens }), fromHttpSession({ sessions, users, revalidate: 'message' }));
    const receive = withChannelUser(({ text }: ReceiveMessage) => void handled.push(text));
    const { process, browser, open } = await twoTabs({ connect: strict(withAuthenticatedUser(greet)), receive });
    const tab = await open('http-session');
    await logOut(browser, process);
    tab.send('after');
    expect(await tab.closed()).toEqual({ code: 3000, reason: 'session ended' });
    expect(handled).toEqual([]);
  });

  it("ends the other's channel at the sweep, where that comes first, and handles nothing that it sends then", async () => {
    const { clock, process, browser, open } = await twoTabs({ connect, receive: withChannelUser(echo) });
    const [tab, silent] = [await open('http-session'), await open('http-session')];
    await logOut(browser, process);
    tab.send('not swept yet');
    expect(await tab.next()).toBe('not swept yet'); // this handler reads no session
    await clock.advance(minuteMs);
    expect(await silent.closed()).toEqual({ code: 3000, reason: 'session ended' });
    tab.send('too late'); // one sweep asks for both, so it ends, too
    expect(await tab.closed()).toEqual({ code: 3000, reason: 'session ended' });
    expect(tab.received).toHaveLength(2);
    const again = await WsClient.connect(process.port, { cookie: browser.cookie });
    expect(again.refused?.status).toBe(401);
  });

  it("ends the other's channel at once where both came by the token of that log-in", async () => {
    const { process, browser, open } = await twoTabs({ connect, receive: withChannelUser(echo) }, (channels) => ({
      '/token': issueTokenHandler(channels, { tokens }),
      '/log-out': revokeTokenHandler(channels, { tokens }),
    }));
    const before = await open('http-session');
    expect(await browser.post(process, '/token')).toBe(200);
    const tab = await open('token');
    await logOut(browser, process);
    expect(await tab.closed()).toEqual({ code: 3000, reason: 'token revoked' });
    expect(browser.has('key')).toBe(false);
    before.send('after'); // it came by the session, which no message of it reads
    expect(await before.next()).toBe('after');
    await before.close();
  });
});
