import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import type { Page, TestBrowser } from './browser.js';

const places = ['/usr/bin/firefox-esr', '/usr/bin/firefox'];

/** The Firefox that is installed here: `FIREFOX_PATH`, or where Debian puts it. */
export const firefoxPath: string | undefined = process.env['FIREFOX_PATH'] || places.find((place) => existsSync(place));

/** No calls to anybody, and no questions. */
const preferences = {
  'app.normandy.enabled': false,
  'app.update.disabledForTesting': true,
  'browser.newtabpage.enabled': false,
  'browser.safebrowsing.malware.enabled': false,
  'browser.safebrowsing.phishing.enabled': false,
  'browser.safebrowsing.update.enabled': false,
  'browser.shell.checkDefaultBrowser': false,
  'browser.startup.homepage_override.mstone': 'ignore',
  'browser.startup.page': 0,
  'datareporting.policy.dataSubmissionEnabled': false,
  'extensions.update.enabled': false,
  'network.captive-portal-service.enabled': false,
  'network.connectivity-service.enabled': false,
  'services.settings.server': 'data:,',
  'toolkit.telemetry.enabled': false,
  'toolkit.telemetry.server': '',
};

interface Reply {
  readonly id: number;
  readonly type: 'success' | 'error';
  readonly result?: unknown;
  readonly error?: string;
  readonly message?: string;
}

/** Commands of WebDriver BiDi over one socket. */
class Bidi {
  readonly #socket: WebSocket;
  readonly #pending = new Map<number, (reply: Reply) => void>();
  #count = 0;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const reply = JSON.parse(String(data)) as Reply;
      this.#pending.get(reply.id)?.(reply);
      this.#pending.delete(reply.id);
    });
    socket.on('close', () => {
      for (const [id, settle] of this.#pending) settle({ id, type: 'error', error: 'the browser has gone' });
    });
    socket.on('error', () => undefined);
  }

  async send<Result>(method: string, params: object): Promise<Result> {
    this.#count += 1;
    const id = this.#count;
    const answered = new Promise<Reply>((resolve) => this.#pending.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    const { type, result, error, message } = await answered;
    if (type === 'error') throw new Error(`${method}: ${error} ${message ?? ''}`);
    return result as Result;
  }
}

class FirefoxPage implements Page {
  readonly #bidi: Bidi;
  readonly #context: string;

  constructor(bidi: Bidi, context: string) {
    this.#bidi = bidi;
    this.#context = context;
  }

  async evaluate(expression: string): Promise<unknown> {
    const { result, exceptionDetails } = await this.#bidi.send<{
      readonly result?: { readonly value: string };
      readonly exceptionDetails?: { readonly text: string };
    }>('script.evaluate', {
      expression: `(async () => JSON.stringify((await (${expression})) ?? null))()`,
      target: { context: this.#context },
      awaitPromise: true,
    });
    if (result === undefined) throw new Error(exceptionDetails?.text);
    return JSON.parse(result.value) as unknown;
  }

  async setOffline(isOffline: boolean): Promise<void> {
    const networkConditions = isOffline ? { type: 'offline' } : null;
    await this.#bidi.send('emulation.setNetworkConditions', { networkConditions, contexts: [this.#context] });
  }

  async close(): Promise<void> {
    await this.#bidi.send('browsingContext.close', { context: this.#context });
  }
}

/** Starts Firefox without a window and without calling anybody. */
export async function startFirefox(): Promise<TestBrowser> {
  if (firefoxPath === undefined)
    throw new Error(`Firefox is missing: install firefox-esr, or set FIREFOX_PATH. Looked in ${places.join(', ')}.`);
  const profile = mkdtempSync(join(tmpdir(), 'ws-with-firefox-'));
  const lines = Object.entries(preferences).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});`);
  writeFileSync(join(profile, 'user.js'), lines.join('\n'));
  const args = ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port=0'];
  const firefox = spawn(firefoxPath, args, { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, HOME: profile } });
  const leave = async (): Promise<void> => {
    firefox.kill('SIGKILL');
    if (firefox.exitCode === null && firefox.signalCode === null) await once(firefox, 'exit');
    rmSync(profile, { recursive: true, force: true, maxRetries: 10 });
  };
  try {
    const socket = new WebSocket(`${await addressOf(firefox)}/session`);
    await once(socket, 'open');
    const bidi = new Bidi(socket);
    await bidi.send('session.new', { capabilities: {} });
    return {
      async open(url) {
        const { context } = await bidi.send<{ readonly context: string }>('browsingContext.create', { type: 'tab' });
        await bidi.send('browsingContext.navigate', { context, url, wait: 'complete' });
        return new FirefoxPage(bidi, context);
      },
      async close() {
        await bidi.send('browser.close', {}).catch(() => undefined);
        await leave();
      },
    };
  } catch (error) {
    await leave();
    throw error;
  }
}

/** Where it listens for commands. */
async function addressOf(firefox: ChildProcess): Promise<string> {
  for await (const line of createInterface({ input: firefox.stderr as NodeJS.ReadableStream })) {
    const address = /WebDriver BiDi listening on (ws:\S+)/.exec(line)?.[1];
    if (address !== undefined) {
      firefox.stderr?.resume();
      return address;
    }
  }
  throw new Error('Firefox ended before it listened');
}
