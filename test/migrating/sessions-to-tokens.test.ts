import { afterAll, expect, it } from 'vitest';
import {
  type ChannelEvent,
  fromHttpSession,
  fromToken,
  issueTokenHandler,
  withAuthenticatedUser,
  withChannelUser,
  withUserFrom,
  withUserFromHttp,
  withUserFromToken,
} from '../../entries/index.js';
import { MongoTokenRepository } from '../../entries/mongodb.js';
import { TestClock } from '../../entries/testing.js';
import { signed } from '../adapters/express/express-site.js';
import { describeOnMongo, openDatabase } from '../adapters/mongodb/mongo.js';
import { ofType } from '../support/heard.js';
import { expectProcessToLive } from '../support/site.js';
import { WsClient } from '../support/ws-client.js';
import { Browser, type Deployment, echo, greet, MovingSite, type Process } from './moving-site.js';
import { Load, type Result, type VisitorOptions } from './visitors.js';

expectProcessToLive();

const minuteMs = 60_000;
const phases = ['measure', 'dual', 'issue', 'announced', 'ended', 'over', 'back'] as const;
type Phase = (typeof phases)[number];

/** What the visitors meet, phase by phase. */
const [web, page, late, native, stranger]: readonly (readonly Result[][])[] = [
  [['http-session'], ['http-session'], ['http-session'], ['http-session'], [401], [401], ['http-session']],
  [['http-session'], ['http-session'], ['token'], ['token'], ['token'], ['token'], ['token']],
  [['http-session'], ['http-session'], ['http-session'], ['http-session'], ['token'], ['token'], ['token']],
  [[401], ['token'], ['token'], ['token'], ['token'], ['token'], ['token']],
  phases.map(() => [401]),
];

describeOnMongo('an application that moves from the sessions of Express to tokens', () => {
  const { db } = openDatabase();
  const site = new MovingSite(db);
  const clock = new TestClock(Date.now());
  afterAll(() => site.tokens.close());

  const { users, tokens, sessions } = site;
  const member = withAuthenticatedUser(greet);
  const receive = withChannelUser(echo);
  // nothing but the end of sessions is to come of the minute that passes
  const options = { clock, connectTimeoutMs: 10 * minuteMs, heartbeatMs: 0 };
  const until = new Date(clock.now() + minuteMs);
  const routes: Deployment['routes'] = (channels) => ({
    '/token': issueTokenHandler(channels, { tokens, sources: [fromHttpSession({ sessions, users })] }),
  });
  const dual = withUserFrom(fromToken({ tokens }), fromHttpSession({ sessions, users }))(member);
  const ending = withUserFrom(fromToken({ tokens }), fromHttpSession({ sessions, users, until }))(member);

  const deployments = {
    measure: { handlers: { connect: withUserFromHttp({ sessions, users })(member), receive }, options },
    dual: { handlers: { connect: dual, receive }, options },
    issue: { handlers: { connect: dual, receive }, routes, options },
    announced: { handlers: { connect: ending, receive }, routes, options },
    over: { handlers: { connect: withUserFromToken({ tokens })(member), receive }, routes, options },
    back: { handlers: { connect: dual, receive }, routes, options },
  } satisfies Record<string, Deployment>;

  /** A browser whose person is logged in on the web site. */
  async function loggedIn(process: Process, name: string): Promise<Browser> {
    const browser = new Browser();
    expect(await browser.post(process, `/log-in/${name}`)).toBe(204);
    return browser;
  }

  async function strangers(process: Process): Promise<VisitorOptions[]> {
    const loggedOut = await loggedIn(process, 'web 1');
    const { cookie } = loggedOut;
    await loggedOut.post(process, '/log-out');
    const past = new MongoTokenRepository(db, { clock: new TestClock(Date.now() - minuteMs) });
    const revoked = await tokens.issue('native 1');
    await past.revoke(revoked.id);
    const inactive = await loggedIn(process, 'stranger inactive');
    const ofInactive = await tokens.issue('stranger inactive');
    await site.disableUser('stranger inactive');
    const [name = '', value = ''] = cookie.split('=');
    const browsers: Readonly<Record<string, Browser>> = {
      'with nothing': new Browser(),
      'who has logged out': new Browser({ [name]: value }),
      'whose session is forged': new Browser({ 'connect.sid': encodeURIComponent(signed('forged', 'another secret')) }),
      'whose token is unknown': new Browser({ key: 'f'.repeat(40) }),
      'whose token is revoked': new Browser({ key: revoked.key }),
      'whose token is expired': new Browser({ key: (await past.issue('native 1', { ttlMs: 1_000 })).key }),
      'who is inactive': inactive,
      'who is inactive, with a token': new Browser({ key: ofInactive.key }),
    };
    return Object.entries(browsers).map(([what, browser]) => ({ name: `stranger ${what}`, browser }));
  }

  async function visitors(process: Process): Promise<VisitorOptions[]> {
    await site.addUsers(['web 1', 'web 2', 'page 1', 'page 2', 'late 1', 'native 1', 'native 2', 'stranger inactive']);
    const native = async (name: string) => new Browser({ key: (await tokens.issue(name)).key });
    return [
      { name: 'web 1', browser: await loggedIn(process, 'web 1') },
      { name: 'web 2', browser: await loggedIn(process, 'web 2'), stays: true },
      { name: 'page 1', browser: await loggedIn(process, 'page 1'), asksForToken: 'first' },
      { name: 'page 2', browser: await loggedIn(process, 'page 2'), asksForToken: 'first', stays: true },
      { name: 'late 1', browser: await loggedIn(process, 'late 1'), asksForToken: 'when refused' },
      { name: 'native 1', browser: await native('native 1') },
      { name: 'native 2', browser: await native('native 2'), stays: true },
      ...(await strangers(process)),
    ];
  }

  /** How many people each source has found. */
  function found(events: readonly ChannelEvent[]): Readonly<Record<string, number>> {
    const people = new Map<string, Set<string | undefined>>();
    for (const { outcome, source = 'none', userDigest } of ofType(events, 'identification')) {
      if (outcome === 'ok') people.set(source, (people.get(source) ?? new Set()).add(userDigest));
    }
    return Object.fromEntries([...people].map(([source, { size }]) => [source, size]));
  }

  /** Plays the whole road; resolves to the load, to how many people each source has found in each phase, and to the last process. */
  async function play(): Promise<{ load: Load; ways: Readonly<Record<string, Readonly<Record<string, number>>>>; processes: Process[] }> {
    let process = await site.deploy(deployments.measure);
    const processes = [process];
    const load = new Load(await visitors(process));
    const ways: Record<string, Readonly<Record<string, number>>> = {};
    const reached = async (phase: Phase): Promise<void> => {
      load.enter(phase, process);
      await load.everybodyCame();
      ways[phase] = found(process.events);
    };
    /** The next process takes the visitors, and only then the former one goes. */
    const roll = async (phase: keyof typeof deployments): Promise<void> => {
      const before = process;
      process = await site.deploy(deployments[phase]);
      processes.push(process);
      load.enter(phase, process);
      await before.close();
      await reached(phase);
    };
    await reached('measure');
    await roll('dual');
    await roll('issue');
    await roll('announced');
    load.enter('ending', process);
    await clock.advance(minuteMs);
    await load.until(() => load.visitors.every(({ name, isThere }) => name !== 'web 2' || !isThere));
    await reached('ended');
    await roll('over');
    await expectNewcomerToBeServed(process);
    await roll('back');
    const gone = load.end();
    await process.close();
    await gone;
    return { load, ways, processes };
  }

  /** Who logs in on the web site when sessions open no channels any more gets a token, and comes by that. */
  async function expectNewcomerToBeServed(process: Process): Promise<void> {
    const browser = await loggedIn(process, 'web 1');
    expect(await browser.post(process, '/token')).toBe(200);
    const client = await WsClient.connect(process.port, { cookie: browser.cookie });
    expect(await client.nextJson()).toEqual({ hello: 'web 1', by: 'token' });
    await client.close();
  }

  it('refuses nobody on the way who may come, and everybody else', async () => {
    const { load, ways, processes } = await play();
    for (const visitor of load.visitors) {
      const [kind = ''] = visitor.name.split(' ');
      const met = phases.map((phase) => visitor.resultsIn(phase).filter((result) => kind !== 'late' || result !== 401));
      expect(met, visitor.name).toEqual({ web, page, late, native, stranger }[kind]);
    }
    // those who stay are sent away by restarts alone, and by the end of what they came by
    const endings = (name: string) =>
      load.visitors.find((visitor) => visitor.name === name)?.closed.map(({ code, reason }) => `${code} ${reason}`);
    const restarts = (times: number) => Array(times).fill('1012 restarting');
    expect(endings('page 2')).toEqual(restarts(6));
    expect(endings('native 2')).toEqual(restarts(5));
    expect(endings('web 2')).toEqual([...restarts(3), '3000 session ended', ...restarts(1)]);

    // what an operator sees of it
    expect(ways).toEqual({
      measure: { 'http-session': 5 },
      dual: { 'http-session': 5, token: 2 },
      issue: { 'http-session': 3, token: 4 },
      announced: { 'http-session': 3, token: 4 },
      ended: { 'http-session': 3, token: 5 },
      over: { token: 5 },
      back: { 'http-session': 2, token: 5 },
    });
    expect(processes.map(({ warnings }) => warnings.includes('ERR_SOURCE_ENDING'))).toEqual([false, false, false, true, false, false]);
    const ended = ofType(processes[3]?.events ?? [], 'identification').filter(({ hasSourceEnded }) => hasSourceEnded === true);
    expect(new Set(ended.map(({ source, outcome }) => `${source} ${outcome}`))).toEqual(new Set(['http-session expired']));
    expect(processes.flatMap(({ errors }) => errors)).toEqual([]);
  });
});
