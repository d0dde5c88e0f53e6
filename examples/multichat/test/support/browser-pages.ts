import type { Browser, BrowserContext, Page } from 'playwright-core';
import { launchChromium } from '../../../../test/support/chromium.js';
import { Visitor } from './visitor.js';

/** How a page looks, and whose it is. */
export interface PageOptions {
  readonly colorScheme?: 'light' | 'dark';
  readonly viewport?: { readonly width: number; readonly height: number };
  /** What it says in its requests that it is. */
  readonly userAgent?: string;
  /** Without it, the page gets a context that is not used again. */
  readonly javaScriptEnabled?: boolean;
  /** Language and time zone of the reader; the page gets a context that is not used again. */
  readonly locale?: string;
  readonly timezoneId?: string;
  /** As people with low vision set it. */
  readonly forcedColors?: 'active' | 'none';
}

const desktop = { width: 1280, height: 720 };

/**
 * One browser for all tests of a file, whose contexts are used again: a new one starts new processes, which costs more than most tests.
 * Each page of a test is in a context of its own, where nothing is left of the test before.
 */
export class BrowserPages implements AsyncDisposable {
  readonly #browser: Browser;
  readonly #patienceMs: number;
  readonly #complaints: string[] = [];
  readonly #free: BrowserContext[] = [];
  /** Those of this test. */
  readonly #used = new Set<BrowserContext>();
  readonly #reusable = new WeakSet<BrowserContext>();

  private constructor(browser: Browser, patienceMs: number) {
    this.#browser = browser;
    this.#patienceMs = patienceMs;
  }

  /** Starts the browser. Its pages wait at most `patienceMs` milliseconds for anything. */
  static async start(patienceMs: number): Promise<BrowserPages> {
    return new BrowserPages(await launchChromium(), patienceMs);
  }

  /** An empty page in a context that no other page of the test is in. */
  async open({ colorScheme = 'light', viewport = desktop, userAgent, forcedColors = 'none', ...own }: PageOptions = {}): Promise<Page> {
    const isReusable = Object.keys(own).length === 0;
    const context = (isReusable ? this.#free.pop() : undefined) ?? (await this.#newContext(own));
    this.#used.add(context);
    if (isReusable) this.#reusable.add(context);
    const page = context.pages()[0] ?? (await context.newPage());
    await page.setViewportSize(viewport);
    // without motion, since a colour on its way to another may be hard to read
    await page.emulateMedia({ colorScheme, forcedColors, reducedMotion: 'reduce' });
    await page.setExtraHTTPHeaders(userAgentHeader(userAgent));
    return page;
  }

  /** A page at `url` on which `name` is logged in already, without a form. */
  async openAs(url: string, name: string, password: string, options: PageOptions = {}): Promise<Page> {
    const logIn = new Visitor(url).logIn(name, password, userAgentHeader(options.userAgent));
    const [visitor, page] = await Promise.all([logIn, this.open(options)]);
    const [, cookie = '', value = ''] = /^([^=]+)=(.*)$/.exec(visitor.cookie ?? '') ?? [];
    await page.context().addCookies([{ name: cookie, value, url, httpOnly: true, sameSite: 'Lax' }]);
    await page.goto(url);
    return page;
  }

  /**
   * Ends what the test did: call it after each, while the sites of its pages still answer. Resolves to what its pages have complained of:
   * errors that nobody caught, and what their policy has kept out.
   */
  async reset(): Promise<readonly string[]> {
    const used = [...this.#used];
    this.#used.clear();
    await Promise.all(used.map((context) => (this.#reusable.has(context) ? this.#clean(context) : context.close())));
    return this.#complaints.splice(0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
  }

  async #newContext(own: PageOptions): Promise<BrowserContext> {
    const context = await this.#browser.newContext(own);
    context.setDefaultTimeout(this.#patienceMs);
    context.on('weberror', (error) => this.#complaints.push(String(error.error())));
    context.on('console', (message) => {
      if (/Content.Security.Policy/i.test(message.text())) this.#complaints.push(message.text());
    });
    return context;
  }

  async #clean(context: BrowserContext): Promise<void> {
    const [page, ...others] = context.pages();
    await Promise.all([context.clearCookies(), ...others.map((other) => other.close())]);
    if (page !== undefined) {
      await page.unrouteAll({ behavior: 'ignoreErrors' });
      if (page.url() !== 'about:blank') {
        await page.evaluate(() => {
          localStorage.clear();
          sessionStorage.clear();
        });
        await page.goto('about:blank');
      }
    }
    this.#free.push(context);
  }
}

function userAgentHeader(userAgent: string | undefined): Record<string, string> {
  return userAgent === undefined ? {} : { 'User-Agent': userAgent };
}
