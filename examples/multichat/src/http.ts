import type { IncomingMessage, ServerResponse } from 'node:http';
import { createRequire } from 'node:module';
import { stringifySetCookie } from 'cookie';
import type { Accounts } from './accounts.js';
import { personOf } from './chat.js';
import { deviceOf } from './device.js';
import { FormError, readForm } from './form.js';
import { type LogIns, logInTtlMs } from './log-ins.js';
import type { Member } from './member.js';
import { chatPage, logInPage, problemPage } from './pages.js';
import { type Content, reply } from './reply.js';
import { serveFile } from './static-files.js';

/** What the site works with. */
export interface SiteOptions {
  readonly accounts: Accounts;
  readonly logIns: LogIns;
  readonly publicOrigin: string | undefined;
}

/** What the page says about live connections, it says there. */
const docs = (createRequire(import.meta.url)('ws-with/package.json') as { readonly homepage: string }).homepage;

const loggedOut: Content = { json: { error: 'logged_out' } };

type Route = (request: IncomingMessage, response: ServerResponse) => Promise<void> | void;

/** Everything but the socket: the page, the log-in, the log-out, and the devices that a member is logged in on. */
export class Site {
  readonly #options: SiteOptions;
  readonly #routes: ReadonlyMap<string, Route>;

  constructor(options: SiteOptions) {
    this.#options = options;
    this.#routes = new Map<string, Route>([
      ['GET /', (request, response) => this.#home(request, response)],
      ['GET /docs', (_, response) => reply(response, 302, {}, { Location: docs })],
      ['GET /me', (request, response) => this.#me(request, response)],
      ['GET /login', (_, response) => reply(response, 200, { html: logInPage() })],
      ['POST /login', (request, response) => this.#logIn(request, response)],
      ['POST /logout', (request, response) => this.#logOut(request, response)],
      ['POST /logout-everywhere', (request, response) => this.#logOutEverywhere(request, response)],
      ['GET /devices', (request, response) => this.#devices(request, response)],
      ['POST /devices/end', (request, response) => this.#endDevice(request, response)],
    ]);
  }

  /** A listener for `request`; bound, and it never rejects. */
  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    const path = (request.url ?? '/').split('?', 1)[0] as string;
    this.#answer(request, response, path).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else if (error instanceof FormError) refuse(response, error.status, error.message);
      else if (isMistake(error)) {
        console.error(error);
        refuse(response, 500, 'Something went wrong here.');
      } else this.#unreachable(response, path);
    });
  };

  /** What is no mistake in the code is a store that cannot be reached. */
  #unreachable(response: ServerResponse, path: string): void {
    const text = 'The chat cannot reach its database just now. Nothing is lost.';
    const way = { text: 'Try again', href: this.#routes.has(`GET ${path}`) ? path : '/' };
    reply(response, 503, { html: problemPage('Try again in a moment', text, way) }, { 'Retry-After': '1' });
  }

  async #answer(request: IncomingMessage, response: ServerResponse, path: string): Promise<void> {
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = this.#routes.get(`${method} ${path}`);
    if (route === undefined) {
      const allow = ['GET', 'POST'].filter((other) => this.#routes.has(`${other} ${path}`)).join(', ');
      if (allow !== '') refuse(response, 405, 'This address is for forms of the chat.', { Allow: allow });
      else serveFile(request, response, path, () => refuse(response, 404, 'There is nothing at this address.'));
    } else if (method === 'POST' && !this.#isFromHere(request)) refuse(response, 403, 'This form was sent from another site.');
    else await route(request, response);
  }

  async #home(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const member = await this.#options.logIns.memberOf(request);
    reply(response, 200, { html: member === undefined ? logInPage() : chatPage });
  }

  async #me(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const member = await this.#options.logIns.memberOf(request);
    if (member === undefined) reply(response, 401, loggedOut);
    else reply(response, 200, { json: personOf(member) });
  }

  async #logIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = await readForm(request);
    const name = form.get('name') ?? '';
    const member = await this.#options.accounts.find(name, form.get('password') ?? '');
    const again = (status: number, problem: string): void => reply(response, status, { html: logInPage({ name, problem }) });
    if (member === undefined) {
      again(401, 'That name and password do not go together. Try again.');
      return;
    }
    try {
      const cookie = await this.#begin(request, member);
      reply(response, 303, {}, { Location: '/', 'Set-Cookie': cookie });
    } catch (error) {
      if (isMistake(error)) throw error;
      again(503, 'The chat cannot reach its database just now. Try again in a moment.');
    }
  }

  async #begin(request: IncomingMessage, member: Member): Promise<string> {
    await this.#options.logIns.end(request);
    const value = await this.#options.logIns.begin(member, deviceOf(request.headers['user-agent']));
    return this.#cookie(value, logInTtlMs / 1000);
  }

  async #logOut(request: IncomingMessage, response: ServerResponse): Promise<void> {
    await this.#options.logIns.end(request);
    this.#loggedOut(response);
  }

  async #logOutEverywhere(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const member = await this.#options.logIns.memberOf(request);
    if (member !== undefined) await this.#options.logIns.endAllOf(member);
    this.#loggedOut(response);
  }

  #loggedOut(response: ServerResponse): void {
    reply(response, 303, {}, { Location: '/', 'Set-Cookie': this.#cookie('', 0) });
  }

  async #devices(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { logIns } = this.#options;
    const member = await logIns.memberOf(request);
    if (member === undefined) {
      reply(response, 401, loggedOut);
      return;
    }
    const own = await logIns.idOf(request);
    const devices = await logIns.listOf(member);
    reply(response, 200, { json: devices.map((logIn) => ({ ...logIn, isThis: logIn.id === own })) });
  }

  async #endDevice(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { logIns } = this.#options;
    const member = await logIns.memberOf(request);
    if (member === undefined) reply(response, 401, loggedOut);
    else if (await logIns.endOneOf(member, (await readForm(request)).get('id') ?? '')) reply(response, 204, {});
    else refuse(response, 404, 'There is no such device any more.');
  }

  #cookie(value: string, maxAge: number): string {
    const secure = this.#options.publicOrigin?.startsWith('https:') ?? false;
    return stringifySetCookie(this.#options.logIns.cookie, value, { httpOnly: true, sameSite: 'lax', secure, path: '/', maxAge });
  }

  /** Whether a form was sent by a page of ours. Browsers always send `Origin` with a POST; programs that send none carry no stolen cookie. */
  #isFromHere({ headers }: IncomingMessage): boolean {
    if (headers.origin === undefined) return true;
    if (headers.origin === this.#options.publicOrigin) return true;
    return URL.canParse(headers.origin) && new URL(headers.origin).host === headers.host;
  }
}

function refuse(response: ServerResponse, status: number, text: string, headers: Readonly<Record<string, string>> = {}): void {
  reply(response, status, { html: problemPage('That did not work', text, { text: 'Back to the chat', href: '/' }) }, headers);
}

/** Whether an error is of the code's own making. */
function isMistake(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
}
