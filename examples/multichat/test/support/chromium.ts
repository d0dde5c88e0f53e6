import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, chromium, type Page } from 'playwright-core';

/** The one without a user interface starts and works in a third of the time. */
const places = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The browser that is installed here: `CHROMIUM_PATH`, or one of the usual places. */
export const chromiumPath: string | undefined = process.env['CHROMIUM_PATH'] || places.find((place) => existsSync(place));

/** Starts the browser, without a window and without calling anybody. */
export async function startChromium(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error(`Chromium is missing: install it, or set CHROMIUM_PATH. Looked in ${places.join(', ')}.`);
  return chromium.launch({
    executablePath: chromiumPath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** What axe-core finds to be serious or worse on the page, in one line each. The page's policy allows no script tag, so it is evaluated. */
export async function accessibilityProblems(page: Page): Promise<string[]> {
  if (await page.evaluate(() => !('axe' in window))) await page.evaluate(axe);
  const { violations } = await page.evaluate(() => (window as unknown as { axe: Axe }).axe.run({ resultTypes: ['violations'] }));
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, help, nodes }) => `${id}: ${help} (${nodes.map(({ html }) => html).join(', ')})`);
}

interface Axe {
  run(options: {
    resultTypes: string[];
  }): Promise<{ violations: { id: string; help: string; impact: string | null; nodes: { html: string }[] }[] }>;
}
