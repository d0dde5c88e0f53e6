import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

/** The one without a user interface starts and works in a third of the time. */
const places = ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The Chromium that is installed here: `CHROMIUM_PATH`, or where Debian puts it. */
export const chromiumPath: string | undefined = process.env['CHROMIUM_PATH'] || places.find((place) => existsSync(place));

/** Whether tests that need it are skipped; in CI it must be there. */
export const missing: boolean = chromiumPath === undefined && !process.env['CI'];

/** What the names of such tests say of that. */
export const because: string = missing ? ' (skipped: Chromium is missing; install it, or set CHROMIUM_PATH)' : '';

/** Starts Chromium without a window and without calling anybody. */
export async function launchChromium(): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error(`Chromium is missing: install it, or set CHROMIUM_PATH. Looked in ${places.join(', ')}.`);
  return chromium.launch({
    executablePath: chromiumPath,
    timeout: 120_000,
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
