import type { IncomingMessage, ServerResponse } from 'node:http';
import { stringifySetCookie } from 'cookie';
import { ChannelError } from 'ws-with';
import type { Accounts } from './accounts.js';
import { deviceOf } from './device.js';
import { FormError, readForm } from './form.js';
import { logInPage } from './log-in-page.js';
import { type LogIns, logInTtlMs } from './log-ins.js';
import { type Content, reply } from './reply.js';
import { personOf } from './room.js';
import { chatPage, files } from './static-files.js';

/** What the site works with. */
export interface SiteOptions {
  readonly accounts: Accounts;
  readonly logIns: LogIns;
  readonly publicOrigin: string | undefined;
}

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
      ['GET /me', (request, response) => this.#me(request, response)],
      ['POST /login', (request, response) => this.#logIn(request, response)],
      ['POST /logout', (request, response) => this.#logOut(request, response)],
      ['POST /logout-everywhere', (request, response) => this.#logOutEverywhere(request, response)],
      ['GET /devices', (request, response) => this.#devices(request, response)],
      ['POST /devices/end', (request, response) => this.#endDevice(request, response)],
      ...[...files].map(([path, file]): [string, Route] => [`GET ${path}`, (_, response) => reply(response, 200, file)]),
    ]);
  }

  /** A listener for `request`; bound, and it never rejects. */
  readonly handle = (request: IncomingMessage, response: ServerResponse): void => {
    this.#answer(request, response).catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else if (error instanceof FormError) reply(response, error.status, { text: error.message });
      else if (error instanceof ChannelError) reply(response, 503, { text: 'Try again in a moment.' }, { 'Retry-After': '1' });
      else {
        console.error(error);
        reply(response, 500, { text: 'Something went wrong here.' });
      }
    });
  };

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0] as string;
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = this.#routes.get(`${method} ${path}`);
    if (route === undefined) {
      const allow = ['GET', 'POST'].filter((other) => this.#routes.has(`${other} ${path}`)).join(', ');
      if (allow === '') reply(response, 404, { text: 'There is nothing here.' });
      else reply(response, 405, { text: `Use ${allow}.` }, { Allow: allow });
      return;
    }
    if (method === 'POST' && !this.#isFromHere(request)) {
      reply(response, 403, { text: 'This form was sent from another site.' });
      return;
    }
    await route(request, response);
  }

  async #home(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const member = await this.#options.logIns.memberOf(request);
    reply(response, 200, member === undefined ? logInPage() : chatPage);
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
    if (member === undefined) {
      reply(response, 401, logInPage({ name, problem: 'That name and password do not go together. Try again.' }));
      return;
    }
    await this.#options.logIns.end(request);
    const value = await this.#options.logIns.begin(member, deviceOf(request.headers['user-agent']));
    reply(response, 303, {}, { Location: '/', 'Set-Cookie': this.#cookie(value, logInTtlMs / 1000) });
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
    else reply(response, 404, { text: 'There is no such device any more.' });
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
