import { existsSync } from 'node:fs';
import { chromium } from 'playwright-core';

/** A page of a browser, as far as the tests of the client need it. */
export interface Page {
  /** The value of an expression, or of its promise, as JSON has it. */
  evaluate(expression: string): Promise<unknown>;
  /** Takes the network away, or gives it back. */
  setOffline(isOffline: boolean): Promise<void>;
  close(): Promise<void>;
}

/** A browser of a test. */
export interface TestBrowser {
  open(url: string): Promise<Page>;
  close(): Promise<void>;
}

const places = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Starts Chromium (`CHROMIUM_PATH`, or where Debian puts it), without a window and without calling anybody. */
export async function startChromium(): Promise<TestBrowser> {
  const executablePath = process.env['CHROMIUM_PATH'] || places.find((place) => existsSync(place));
  if (executablePath === undefined)
    throw new Error(`Chromium is missing: install it, or set CHROMIUM_PATH. Looked in ${places.join(', ')}.`);
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-sync'];
  const browser = await chromium.launch({ executablePath, args, timeout: 120_000 });
  return {
    async open(url) {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(url);
      return {
        evaluate: (expression) => page.evaluate(expression),
        setOffline: (isOffline) => context.setOffline(isOffline),
        close: () => context.close(),
      };
    },
    close: () => browser.close(),
  };
}
