import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { memoryBackend } from '../src/backend.js';
import { type MultiChat, startMultiChat } from '../src/multichat.js';
import { Visitor } from './support/visitor.js';

describe.each(['token', 'session'] as const)('the site with --auth=%s', (auth) => {
  let chat: MultiChat;
  let visitor: Visitor;
  const cookieName = { token: 'key', session: 'sessionid' }[auth];

  beforeEach(async () => {
    chat = await startMultiChat({ auth });
    visitor = new Visitor(chat.url);
  });
  afterEach(() => chat.close());

  it('shows a log-in form that works without scripts', async () => {
    const page = await (await visitor.get('/')).text();
    expect(page).toContain('<form method="post" action="/login">');
    expect(page).toMatch(/<input[^>]* name="name"/);
    expect(page).toMatch(/<input[^>]* name="password" type="password"/);
  });

  it('logs in with the right password and keeps it in a cookie that scripts cannot read', async () => {
    const response = await visitor.post('/login', { name: 'ann', password: 'lemonade' });
    expect(response.status).toBe(303);
    expect(response.headers.get('location')).toBe('/');
    const [cookie] = response.headers.getSetCookie();
    expect(cookie).toMatch(new RegExp(`^${cookieName}=[^;]{16,}; .*Path=/; Expires=[^;]+; HttpOnly; SameSite=Lax$`));
    const days = (Date.parse(/Expires=([^;]+)/.exec(cookie ?? '')?.[1] ?? '') - Date.now()) / 86_400_000;
    expect(Math.round(days)).toBe(7);
    expect(await (await visitor.get('/')).text()).toContain('id="composer"');
    expect(await (await visitor.get('/me')).json()).toEqual({ id: '1', name: 'ann', staff: false });
  });

  it.each([
    ['ann', 'wrong'],
    ['nobody', 'lemonade'],
    ['', ''],
  ])('refuses %j with the password %j', async (name, password) => {
    const response = await visitor.post('/login', { name, password });
    expect(response.status).toBe(401);
    expect(response.headers.getSetCookie()).toEqual([]);
    expect(await response.text()).toContain('role="alert"');
    expect((await visitor.get('/me')).status).toBe(401);
  });

  it('shows the name that was tried, and nothing of it as HTML', async () => {
    const response = await visitor.post('/login', { name: '"><script>alert(1)</script>', password: 'x' });
    expect(await response.text()).not.toContain('<script>alert');
  });

  it('logs out: the cookie is cleared and the old one counts no more', async () => {
    await visitor.logIn('ann', 'lemonade');
    const { cookie } = visitor;
    const response = await visitor.post('/logout');
    expect(response.status).toBe(303);
    expect(response.headers.getSetCookie()[0]).toMatch(new RegExp(`^${cookieName}=; Path=/; Expires=Thu, 01 Jan 1970`));
    visitor.cookie = cookie;
    expect((await visitor.get('/me')).status).toBe(401);
    expect(await visitor.refusal()).toBe(3000);
  });

  it('ends the log-in that a second one replaces', async () => {
    await visitor.logIn('ann', 'lemonade');
    const { cookie } = visitor;
    await visitor.logIn('cleo', 'cinnamon');
    expect(await (await visitor.get('/me')).json()).toMatchObject({ name: 'cleo' });
    visitor.cookie = cookie;
    expect((await visitor.get('/me')).status).toBe(401);
  });

  it('takes no form that another site sends', async () => {
    const headers = { Origin: 'http://elsewhere.example' };
    expect((await visitor.post('/login', { name: 'ann', password: 'lemonade' }, headers)).status).toBe(403);
    await visitor.logIn('ann', 'lemonade');
    expect((await visitor.post('/logout', {}, headers)).status).toBe(403);
    expect((await visitor.post('/logout', {}, { Origin: 'null' })).status).toBe(403);
    expect((await visitor.get('/me')).status).toBe(200);
  });

  it('refuses what is no form, what is too large, and what it does not know', async () => {
    expect((await visitor.post('/login', {}, { 'Content-Type': 'text/plain' })).status).toBe(415);
    expect((await visitor.post('/login', { name: 'x'.repeat(10_000) })).status).toBe(413);
    expect((await visitor.get('/login')).status).toBe(200);
    expect((await visitor.get('/package.json')).status).toBe(404);
    expect((await visitor.get('/../package.json')).status).toBe(404);
  });

  it.each([
    ['GET', '/logout', 'POST'],
    ['POST', '/', 'GET, HEAD'],
    ['PUT', '/login', 'GET, HEAD, POST'],
    ['DELETE', '/devices', 'GET, HEAD'],
    ['POST', '/page.css', 'GET, HEAD'],
    ['PUT', '/ws-with/client/client-channel.js', 'GET, HEAD'],
  ])('answers %s %s with what that address is for', async (method, path, allowed) => {
    const { status, headers } = await fetch(chat.url + path, { method, headers: { Origin: chat.url } });
    expect([status, headers.get('allow')]).toEqual([405, allowed]);
  });

  it('keeps the name that somebody has typed where the log-in cannot be kept just now', async () => {
    const away = new Error('The database is away.');
    await chat.close();
    chat = await startMultiChat({
      auth,
      backend: async (container) => {
        const { tokens, sessions, ...backend } = await memoryBackend(container);
        vi.spyOn(tokens, 'issue').mockRejectedValue(away);
        vi.spyOn(sessions.store, 'set').mockImplementation((_, __, done) => done?.(away));
        return { tokens, sessions, ...backend };
      },
    });
    const page = await new Visitor(chat.url).post('/login', { name: 'ann', password: 'lemonade' });
    expect([page.status, page.headers.get('retry-after')]).toEqual([503, '1']);
    const form = await page.text();
    expect(form).toContain('role="alert"');
    expect(form).toMatch(/<input[^>]* name="name"[^>]* value="ann"/);
  });

  it('leads to what there is to read about live connections', async () => {
    const { status, headers } = await visitor.get('/docs');
    expect([status, URL.canParse(headers.get('location') ?? '')]).toEqual([302, true]);
  });

  it('answers mistakes with a page that leads on', async () => {
    for (const path of ['/logout', '/nothing']) {
      const page = await visitor.get(path);
      expect(page.headers.get('content-type')).toContain('text/html');
      expect(await page.text()).toContain('href="/"');
    }
  });

  it('sends a file once: the browser has it until it changes', async () => {
    for (const path of ['/page.js', '/ws-with/entries/client.js']) {
      const { headers, status } = await visitor.get(path);
      expect([status, headers.get('content-type')]).toEqual([200, 'text/javascript; charset=utf-8']);
      const again = await fetch(chat.url + path, { headers: { 'If-None-Match': headers.get('etag') ?? '', 'Cache-Control': 'max-age=0' } });
      expect(again.status).toBe(304);
    }
    expect((await visitor.get('/ws-with/entries/index.js')).status).toBe(404);
  });

  it('lets a page run no scripts but its own', async () => {
    for (const path of ['/', '/page.js', '/me']) {
      const policy = (await visitor.get(path)).headers.get('content-security-policy');
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toContain('unsafe');
    }
  });

  it('opens no socket without a log-in, nor for a page of another site', async () => {
    expect(await visitor.refusal()).toBe(3000);
    await visitor.logIn('ann', 'lemonade');
    expect(await visitor.refusal({ Origin: 'http://elsewhere.example' })).toBe(3003);
  });
});

const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0';
const phone = 'Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36';

/** A device as the page lists it. */
interface Device {
  readonly id: string;
  readonly device: string;
  readonly createdAt: string;
  readonly isThis: boolean;
}

describe.each(['token', 'session'] as const)('the devices of a member with --auth=%s', (auth) => {
  let chat: MultiChat;
  beforeEach(async () => {
    chat = await startMultiChat({ auth });
  });
  afterEach(() => chat.close());

  const logIn = async (name: string, password: string, agent: string) => {
    const visitor = new Visitor(chat.url);
    expect((await visitor.post('/login', { name, password }, { 'User-Agent': agent })).status).toBe(303);
    return visitor;
  };
  const devicesOf = async (visitor: Visitor) => (await (await visitor.get('/devices')).json()) as Device[];

  it('are listed, with the one that asks marked, and none of anybody else', async () => {
    const [desk, pocket] = [await logIn('ann', 'lemonade', firefox), await logIn('ann', 'lemonade', phone)];
    await logIn('bob', 'bicycle', firefox);
    const devices = await devicesOf(desk);
    expect(devices.map(({ device, isThis }) => [device, isThis])).toEqual([
      ['Firefox on Linux', true],
      ['Chrome on Android', false],
    ]);
    expect((await devicesOf(pocket)).map(({ isThis }) => isThis)).toEqual([false, true]);
    for (const { createdAt } of devices) expect(Math.abs(Date.now() - Date.parse(createdAt))).toBeLessThan(3_600_000);
    for (const { cookie = '' } of [desk, pocket]) expect(JSON.stringify(devices)).not.toContain(cookie.split('=')[1]);
  });

  it('can be logged out one by one: its page is closed and told why, the others go on', async () => {
    const [desk, pocket] = [await logIn('ann', 'lemonade', firefox), await logIn('ann', 'lemonade', phone)];
    const [here, there] = [await desk.open(), await pocket.open()];
    const other = (await devicesOf(desk)).find(({ isThis }) => !isThis) as Device;
    expect((await desk.post('/devices/end', { id: other.id })).status).toBe(204);
    expect(await there.closed).toEqual({ code: 3000, reason: auth === 'token' ? 'token revoked' : 'session ended' });
    expect((await pocket.get('/me')).status).toBe(401);
    expect((await desk.post('/devices/end', { id: other.id })).status).toBe(404);
    expect(await here.rest()).toEqual([]);
  });

  it('are all logged out at once, and nobody else is', async () => {
    const [desk, pocket] = [await logIn('ann', 'lemonade', firefox), await logIn('ann', 'lemonade', phone)];
    const bob = await (await logIn('bob', 'bicycle', firefox)).open();
    const pages = [await desk.open(), await pocket.open()];
    const response = await desk.post('/logout-everywhere');
    expect([response.status, response.headers.get('location')]).toEqual([303, '/']);
    for (const page of pages) expect(await page.closed).toMatchObject({ code: 3000 });
    expect([(await desk.get('/me')).status, (await pocket.get('/me')).status]).toEqual([401, 401]);
    expect(await bob.rest()).toEqual([]);
  });

  it("are nobody's but their member's", async () => {
    const [ann, bob] = [await logIn('ann', 'lemonade', firefox), await logIn('bob', 'bicycle', firefox)];
    const [annsDevice] = await devicesOf(ann);
    for (const id of [annsDevice?.id ?? '', 'no such device', '']) expect((await bob.post('/devices/end', { id })).status).toBe(404);
    const stranger = new Visitor(chat.url);
    expect((await stranger.get('/devices')).status).toBe(401);
    expect((await stranger.post('/devices/end', { id: annsDevice?.id ?? '' })).status).toBe(401);
    expect((await stranger.post('/logout-everywhere')).status).toBe(303);
    const headers = { Origin: 'http://elsewhere.example' };
    expect((await ann.post('/logout-everywhere', {}, headers)).status).toBe(403);
    expect((await ann.post('/devices/end', { id: annsDevice?.id ?? '' }, headers)).status).toBe(403);
    expect((await ann.get('/me')).status).toBe(200);
  });
});

describe.each(['token', 'session'] as const)('the site behind a proxy that speaks https, with --auth=%s', (auth) => {
  it('marks the cookie as Secure and takes forms and sockets from its public address', async () => {
    const chat = await startMultiChat({ auth, publicOrigin: 'https://chat.example' });
    try {
      const visitor = new Visitor(chat.url);
      const response = await visitor.post('/login', { name: 'ann', password: 'lemonade' }, { Origin: 'https://chat.example' });
      expect(response.status).toBe(303);
      expect(response.headers.getSetCookie()[0]).toContain('; Secure');
      expect((await visitor.get('/me')).status).toBe(200);
      expect(await visitor.refusal({ Origin: 'https://elsewhere.example' })).toBe(3003);
    } finally {
      await chat.close();
    }
  });
});
