import { describe, expect, it } from 'vitest';
import { SourceFile } from '../../src/migrate/source-file.js';
import { wsSessionsOf } from '../../src/migrate/ws-session.js';

function found(text: string, written: 'session' | 'dual' | 'token' = 'session') {
  return wsSessionsOf(new SourceFile('server.js', text), written);
}

/** As servers of ws do it whose users are in express-session. */
const upgrade = `import session from 'express-session';
const parser = session({ secret: 'x', resave: false, saveUninitialized: false });
server.on('upgrade', function (request, socket, head) {
  socket.on('error', onError);
  parser(request, {}, () => {
    if (!request.session.userId) return void socket.destroy();
    wss.handleUpgrade(request, socket, head, (ws) => wss.emit('connection', ws, request));
  });
});
wss.on('connection', (ws, request) => {
  ws.on('message', (data) => ws.send(String(data)));
  ws.on('close', () => map.delete(request.session.userId));
});
`;

describe('--from ws-session', () => {
  it('finds an upgrade listener that runs a session parser, and says what to write and what moves', () => {
    const [finding, ...others] = found(upgrade);
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ file: 'server.js', line: 3, column: 1, code: 'session-parser', kind: 'undecided' });
    const written = finding?.write?.join('\n');
    expect(written).toContain('new ExpressSessionReader(parser)');
    expect(written).toContain('withUserFromHttp({ sessions, users })');
    expect(written).toContain('channels.handleUpgrades(server);');
    expect(written).toMatch(/receive: .*line 11/);
    expect(written).toMatch(/disconnect: .*line 12/);
  });

  it('writes what the target names', () => {
    expect(found(upgrade, 'dual')[0]?.write?.join('\n')).toContain(
      'withUserFrom(fromToken({ tokens }), fromHttpSession({ sessions, users }))',
    );
    const token = found(upgrade, 'token')[0]?.write?.join('\n');
    expect(token).toContain('withUserFromToken({ tokens })');
    expect(token).not.toContain('ExpressSessionReader');
  });

  it('finds a connection listener, and hands its server over', () => {
    const [finding] = found("chat.wss.on('connection', (ws, req) => { sessionParser(req, {}, () => { ws.on('message', f); }); });");
    expect(finding?.write?.at(-1)).toMatch(/^chat\.wss\.on\('connection', channels\.accept\);/);
  });

  it.each([
    ['in a named listener', "function onConnection(ws, req) { parse(req, {}, () => {}); }\nwss.on('connection', onConnection);"],
    [
      'in a helper of the listener',
      "const read = (req, next) => parse(req, {}, next);\nwss.once('connection', (ws, req) => read(req, () => {}));",
    ],
    ['in a promise', "wss.on('connection', async (ws, req) => { await new Promise((done) => sessionParser(req, {}, done)); });"],
    ['with a response that is none', "server.on('upgrade', (req) => sessionMiddleware(req, new http.ServerResponse(req), () => {}));"],
    ['with a response that is asserted', "server.addListener('upgrade', (req) => parse(req, {} , next));"],
    [
      'that is promisified',
      "const session = require('express-session'); const parse = session({});\nserver.on('upgrade', (req) => promisify(parse)(req, {}, f));",
    ],
    [
      'with a response of methods, which is none',
      "const res = { getHeader() {}, setHeader: () => res };\nserver.on('upgrade', (req) => parse(req, res, next));",
    ],
    [
      'in a bound method',
      "class Chat { constructor() { wss.on('connection', this.#open.bind(this)); } #open(ws, req) { this.parse(req, {}, go); } }",
    ],
    ['in verifyClient', 'new WebSocketServer({ verifyClient: (info, done) => { sessionParser(info.req, {}, () => done(true)); } });'],
  ])('finds a session parser %s', (_, text) => {
    expect(found(text).map(({ code }) => code)).toEqual(['session-parser']);
  });

  it.each([
    ['where it is called', "wss.on('connection', async (ws, req) => { await promisify(parse)(req, {}); });"],
    ['by a constant', "const run = util.promisify(parse);\nwss.on('connection', async (ws, req) => { await run(req, {}); });"],
    [
      'with a response that is asserted',
      "const run = promisify(parse);\nserver.on('upgrade', async (req) => { await run(req, new ServerResponse(req)); });",
    ],
  ])('finds a session parser that is promisified %s, and names the parser itself', (_, text) => {
    const [finding, ...others] = found(text);
    expect(others).toEqual([]);
    expect(finding?.message).toContain('runs parse on the handshake');
    expect(finding?.write).toContain('const sessions = new ExpressSessionReader(parse);');
  });

  it.each([
    "const run = promisify(session({ secret: 's3cr3t' }));\nwss.on('connection', async (ws, req) => { await run(req, {}); });",
    "wss.on('connection', async (ws, req) => { session({ secret: 's3cr3t' })(req, {}, go); });",
  ])('does not repeat what a session parser is made with, which may be a secret: %s', (text) => {
    const [finding] = found(text);
    expect(finding?.write).toContain('const sessions = new ExpressSessionReader(session(…));');
    expect(JSON.stringify(finding)).not.toContain('s3cr3t');
  });

  it('hands over an application whose handle is called', () => {
    const [finding] = found("server.on('upgrade', (req) => app.handle(req, {}, go));");
    expect(finding?.write).toContain('const sessions = new ExpressSessionReader(app);');
  });

  it('names all middleware of a chain, each once', () => {
    const text =
      "wss.on('connection', (ws, req) => session(req, {}, () => passport.initialize()(req, {}, () => passport.session()(req, {}, go))));";
    expect(found(text)[0]?.write).toContain(
      'const sessions = new ExpressSessionReader([session, passport.initialize(), passport.session()]);',
    );
  });

  it.each([
    ['a listener without one', "wss.on('connection', (ws, req) => { ws.send(merge(req, { a: 1 }, f)); });"],
    [
      'another function that is promisified',
      "wss.on('connection', async (ws, req) => { await promisify(stat)(req.url, { bigint: true }); });",
    ],
    ['middleware of a site', 'app.use((req, res, next) => sessionParser(req, res, next));'],
    ['another event', "server.on('request', (req) => sessionParser(req, {}, f));"],
  ])('does not report %s', (_, text) => {
    expect(found(text)).toEqual([]);
  });
});
