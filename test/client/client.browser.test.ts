import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ClientState } from '../../entries/client.js';
import { type Page, startChromium, type TestBrowser } from '../support/browser.js';
import { eventually } from '../support/eventually.js';
import { startFirefox } from '../support/firefox.js';
import { SiteForClients } from './site-for-clients.js';

/** What the page keeps of what its client told. */
interface Told {
  readonly states: readonly ClientState[];
  readonly messages: readonly string[];
  readonly renewals: number;
}

const order = `client.request({ command: 'order' }, { timeoutMs: 60_000 })`;
const startMs = 120_000;

describe.each([
  ['Chromium', startChromium],
  ['Firefox', startFirefox],
])('a client in a page of %s', (_, start) => {
  let browser: TestBrowser;
  let site: SiteForClients;
  let page: Page;

  beforeAll(async () => {
    browser = await start();
  }, startMs);
  afterAll(() => browser?.close(), startMs);
  beforeEach(async () => {
    site = await SiteForClients.start();
  });
  afterEach(async () => {
    await page?.close();
    await site.close();
  });

  /** Opens a page with a token that ends after a minute, where a client connects to `path`. */
  async function open(path: string, options: object = {}): Promise<void> {
    page = await browser.open(`${site.address}/?key=${await site.newKey()}`);
    await eventually(async () => expect(await page.evaluate('window.isReady === true')).toBe(true));
    await page.evaluate(`begin(${JSON.stringify({ path, ...options })})`);
  }
  const told = (): Promise<Told> => page.evaluate('told') as Promise<Told>;
  const names = async (): Promise<string[]> => (await told()).states.map(({ name }) => name);
  const last = async (): Promise<ClientState | undefined> => (await told()).states.at(-1);
  const isOpen = (): Promise<void> => eventually(async () => expect((await last())?.name).toBe('open'));

  it('returns to a server that was killed, and sends again what was not answered', async () => {
    await open('/close');
    expect(await page.evaluate(order)).toEqual({ orders: 1 });
    site.line.setMode('refuse');
    await eventually(async () => expect(await names()).toContain('waiting'));
    const asked = page.evaluate(order);
    site.line.setMode('forward');
    expect(await asked).toEqual({ orders: 2 });
    expect(site.handled).toHaveLength(2);
    const { messages } = await told();
    expect(messages).toEqual(['{"hello":"ann"}', '{"hello":"ann"}']);
  });

  it('notices a line that is frozen, and gets the answer that was lost with it', async () => {
    await open('/close', { pingMs: 100, pongMs: 1_000 });
    await isOpen();
    site.line.freeze('answers');
    expect(await page.evaluate(order)).toEqual({ orders: 1 });
    expect(site.handled).toHaveLength(1);
    expect((await names()).slice(0, 5)).toEqual(['connecting', 'open', 'waiting', 'connecting', 'open']);
  });

  it('returns after a restart', async () => {
    await open('/close');
    await isOpen();
    await site.restart();
    expect(await page.evaluate(order)).toEqual({ orders: 1 });
    expect((await told()).states.find(({ name }) => name === 'waiting')).toMatchObject({ closing: { code: 1012, reason: 'restarting' } });
  });

  it('stops where its token is revoked', async () => {
    await open('/close', { renews: true });
    await isOpen();
    await site.tokens.revokeAllOf('ann');
    await eventually(async () =>
      expect(await last()).toMatchObject({ name: 'stopped', why: 'log-in', closing: { reason: 'token revoked' } }),
    );
    expect((await told()).renewals).toBe(0);
  });

  it('renews when its token expires, and returns', async () => {
    await open('/close', { renews: true });
    await isOpen();
    await site.clock.advance(60_000);
    expect(await page.evaluate(order)).toEqual({ orders: 1 });
    expect(await told()).toMatchObject({ renewals: 1 });
    expect(await names()).toEqual(['connecting', 'open', 'renewing', 'connecting', 'open']);
  });

  it('renews after handshakes that were refused with a status, which no page is told', async () => {
    await open('/status', { renews: true, minDelayMs: 10 });
    await isOpen();
    site.line.setMode('refuse');
    await site.clock.advance(60_000);
    site.line.setMode('forward');
    await eventually(async () => expect((await told()).renewals).toBeGreaterThan(0));
    await isOpen();
  });

  it('stops where it is refused, and where nobody gives it a credential', async () => {
    await open('/close?denied');
    await eventually(async () => expect(await last()).toMatchObject({ name: 'stopped', why: 'refused', closing: { code: 3003 } }));
    await page.close();
    site.canRenew = false;
    await open('/close', { renews: true });
    await isOpen();
    await site.clock.advance(60_000);
    await eventually(async () => expect(await last()).toMatchObject({ name: 'stopped', why: 'log-in', error: {} }));
  });

  it('attempts nothing while the browser is offline, and returns at once when it is online', async () => {
    await open('/close', { pingMs: 0, minDelayMs: 600_000 });
    await isOpen();
    await page.setOffline(true);
    await eventually(async () => expect(await page.evaluate('navigator.onLine')).toBe(false));
    site.line.setMode('refuse');
    await eventually(async () => expect((await last())?.name).toBe('offline'));
    site.line.setMode('forward');
    await page.setOffline(false);
    expect(await page.evaluate(order)).toEqual({ orders: 1 });
  });
});
