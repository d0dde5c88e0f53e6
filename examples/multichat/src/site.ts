import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler, type Response } from 'express';
import type { ChannelServer } from 'ws-with';
import { memberWith } from './accounts.js';
import { personOf } from './chat.js';
import type { LogIns } from './log-ins.js';
import type { Member } from './member.js';
import { logInPage, problemPage } from './pages.js';

/** What the site works with. */
export interface SiteOptions {
  readonly channels: ChannelServer;
  readonly logIns: LogIns;
  readonly publicOrigin: string | undefined;
}

const pageFolder = fileURLToPath(new URL('../page/', import.meta.url));
/** Of the package `ws-with`: the page uses its client. */
const packageFolder = fileURLToPath(new URL('..', import.meta.resolve('ws-with/client')));
/** Where the page's link to the documentation leads. */
const homepage = (createRequire(import.meta.url)('ws-with/package.json') as { readonly homepage: string }).homepage;

const pathsByMethod = {
  'GET, HEAD': [
    '/',
    '/docs',
    '/me',
    '/devices',
    '/ws-with/entries/client.js',
    ...filesIn(pageFolder, '/'),
    ...filesIn(`${packageFolder}client`, '/ws-with/client/'),
  ],
  'GET, HEAD, POST': ['/login'],
  POST: ['/logout', '/logout-everywhere', '/devices/end'],
};

/** Everything but the socket: the page, the log-in, the log-out, and the devices that a member is logged in on. */
export function site(options: SiteOptions): Express {
  const app = express().disable('x-powered-by').use(headers, formsOf(options.publicOrigin));
  app.use(express.static(pageFolder, { index: false }));
  app.use('/ws-with/client', express.static(`${packageFolder}client`));
  app.get('/ws-with/entries/client.js', (_, response) => response.sendFile('entries/client.js', { root: packageFolder }));
  app.get('/docs', (_, response) => response.redirect(homepage));
  app.use(express.urlencoded({ extended: false, limit: 4096 }), ...options.logIns.middleware);
  addLogIn(app, options);
  addDevices(app, options);
  for (const [allowed, paths] of Object.entries(pathsByMethod))
    app.all(paths, (_, response) => refuse(response.set('Allow', allowed), 405, 'That is not done with this address.'));
  app.use((_, response) => refuse(response, 404, 'There is nothing at this address.'));
  return app.use(failed);
}

/** Where the files of a folder are found that is served below `prefix`. */
function filesIn(folder: string, prefix: string): string[] {
  return readdirSync(folder).map((name) => prefix + name);
}

async function memberOf(request: Request, { channels }: SiteOptions): Promise<Member | undefined> {
  const { user } = await channels.identify(request);
  return user.isAuthenticated ? user : undefined;
}

function addLogIn(app: Express, options: SiteOptions): void {
  const { logIns } = options;
  app.get('/', async (request, response) => {
    if ((await memberOf(request, options)) === undefined) response.send(logInPage());
    else response.sendFile('chat.html', { root: pageFolder });
  });
  app.get('/login', (_, response) => response.send(logInPage()));
  app.post('/login', async (request, response) => {
    const name = fieldOf(request, 'name');
    const member = memberWith(name, fieldOf(request, 'password'));
    if (member === undefined) {
      response.status(401).send(logInPage({ name, problem: 'That name and password do not go together. Try again.' }));
      return;
    }
    await logIns.begin(request, response, member);
    response.redirect(303, '/');
  });
  app.post('/logout', async (request, response) => {
    await logIns.end(request, response);
    response.redirect(303, '/');
  });
  app.post('/logout-everywhere', async (request, response) => {
    const member = await memberOf(request, options);
    for (const logIn of member === undefined ? [] : await logIns.listOf(member, request)) await logIn.end();
    await logIns.end(request, response);
    response.redirect(303, '/');
  });
}

function addDevices(app: Express, options: SiteOptions): void {
  const { logIns } = options;
  const forMembers =
    (run: (member: Member, request: Request, response: Response) => unknown): RequestHandler =>
    async (request, response) => {
      const member = await memberOf(request, options);
      if (member === undefined) response.status(401).json({ error: 'logged_out' });
      else await run(member, request, response);
    };
  const me = (member: Member, _: Request, response: Response) => response.json(personOf(member));
  const list = async (member: Member, request: Request, response: Response): Promise<void> => {
    response.json(await logIns.listOf(member, request));
  };
  const end = async (member: Member, request: Request, response: Response): Promise<void> => {
    const logIn = (await logIns.listOf(member, request)).find(({ id }) => id === fieldOf(request, 'id'));
    await logIn?.end();
    if (logIn === undefined) refuse(response, 404, 'There is no such device any more.');
    else response.status(204).end();
  };
  app.get('/me', forMembers(me));
  app.get('/devices', forMembers(list));
  app.post('/devices/end', forMembers(end));
}

/** Scripts and styles are files of ours; what users write is text and nothing else. */
const headers: RequestHandler = (_, response, next) => {
  const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'";
  response.set({
    'Cache-Control': 'no-cache',
    'Content-Security-Policy': `${policy}; base-uri 'none'; frame-ancestors 'none'`,
    'Referrer-Policy': 'same-origin', // not no-referrer: with that, browsers send `Origin: null` with our own forms
    'X-Content-Type-Options': 'nosniff',
  });
  next();
};

/** Takes no form from a page of another site. Browsers always send `Origin` with a POST; programs that send none carry no stolen cookie. */
function formsOf(publicOrigin: string | undefined): RequestHandler {
  return (request, response, next) => {
    const { origin, host } = request.headers;
    const isOurs = origin === undefined || origin === publicOrigin || (URL.canParse(origin) && new URL(origin).host === host);
    if (request.method === 'POST' && !isOurs) refuse(response, 403, 'This form was sent from another site.');
    else next();
  };
}

/** A field of a form, as plain HTML sends it. */
function fieldOf({ body }: Request, name: string): string {
  if (body === undefined) throw Object.assign(new Error('Send this as a form.'), { status: 415 });
  return String((body as Record<string, unknown>)[name] ?? '');
}

function refuse(response: Response, status: number, text: string): void {
  response.status(status).send(problemPage('That did not work', text, { text: 'Back to the chat', href: '/' }));
}

const failed: ErrorRequestHandler = (error: unknown, request, response, _next) => {
  const { status, message } = error as { readonly status?: number; readonly message?: string };
  if (response.headersSent) {
    if (!response.writableEnded) response.destroy();
  } else if (status !== undefined && status < 500) refuse(response, status, `${message}`);
  else if (isMistake(error)) {
    console.error(error);
    refuse(response, 500, 'Something went wrong here.');
  } else {
    const text = 'The chat cannot reach its database just now. Nothing is lost.';
    const way = { text: 'Try again', href: request.method === 'POST' ? '/' : request.path };
    const isLogIn = request.path === '/login' && request.body !== undefined;
    response
      .status(503)
      .set('Retry-After', '1')
      .send(isLogIn ? logInPage({ name: fieldOf(request, 'name'), problem: text }) : problemPage('Try again in a moment', text, way));
  }
};

/** Whether an error is of the code's own making. What is none is a store that cannot be reached. */
function isMistake(error: unknown): boolean {
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
}
