import type { Locator, Page } from 'playwright-core';

export const logOf = (page: Page): Locator => page.getByRole('log');
export const messageBox = (page: Page): Locator => page.getByRole('textbox', { name: 'Message' });
export const roomButton = (page: Page, name: string): Locator => page.getByRole('navigation').getByRole('button', { name });
export const connected = (page: Page): Promise<void> => page.getByRole('status').getByText('Connected', { exact: true }).waitFor();

/** The texts of the messages that it shows. */
export const textsOn = (page: Page): Promise<string[]> => logOf(page).locator('.bubble').allTextContents();

/** Resolves when the page has drawn its next frame: before that, browsers do not tell it where the reader has scrolled to. */
export const drawn = (page: Page): Promise<void> => page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => resolve())));

/** Logs in on the page of the log-in; what comes of it is to be waited for. */
export async function submitLogIn(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: `Use ${name}` }).click();
  await page.getByRole('button', { name: 'Log in' }).click();
}

/** Goes into a room, of which it has the name at the top then. */
export async function join(page: Page, name: string): Promise<void> {
  await roomButton(page, name).click();
  await page.getByRole('heading', { name }).waitFor();
}

/** Writes a message, which is in the log at once, sent or not. */
export async function write(page: Page, text: string): Promise<void> {
  await messageBox(page).fill(text);
  await page.keyboard.press('Enter');
  await logOf(page).getByText(text).waitFor();
}
