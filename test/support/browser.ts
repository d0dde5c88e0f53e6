import { launchChromium } from './chromium.js';

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

/** Starts Chromium. */
export async function startChromium(): Promise<TestBrowser> {
  const browser = await launchChromium();
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
