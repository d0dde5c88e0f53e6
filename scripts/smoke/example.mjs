import { once } from 'node:events';
import { WebSocket } from 'ws';
import { startProcess } from './process.mjs';

/**
 * Starts the example by the README's command, logs in by its form, and opens a socket as the user.
 *
 * @param {string} cookieName of the credential that the log-in leaves.
 * @param {readonly string[]} args of the example.
 */
export async function checkExample(cookieName, args = []) {
  const example = startProcess('npm', ['start', '--', ...args], { env: { ...process.env, PORT: '0' } });
  try {
    const [address] = await example.line(/http:\/\/[\w.[\]:-]+:\d+/);
    const [, name, password] = await example.line(/^\W*(\w+) \/ (\S+)/m);
    await checkForm(address);
    const cookie = await logIn(address, cookieName, { name, password });
    await openSocket(address, cookie, name);
    console.log(`${name} logged in at ${address} and opened a socket`);
  } finally {
    await example.end();
  }
}

async function checkForm(address) {
  const page = await (await fetch(address)).text();
  if (!page.includes('<form')) throw new Error(`the page at / has no form:\n${page}`);
}

async function logIn(address, cookieName, fields) {
  const response = await fetch(new URL('/login', address), { method: 'POST', body: new URLSearchParams(fields), redirect: 'manual' });
  const cookie = response.headers.getSetCookie().find((line) => line.startsWith(`${cookieName}=`));
  if (!cookie) throw new Error(`no cookie ${cookieName} after the log-in: ${response.status} ${await response.text()}`);
  if (!/; *HttpOnly/i.test(cookie) || !/; *SameSite=/i.test(cookie)) throw new Error(`${cookieName} is open to scripts or other sites`);
  return cookie.split(';', 1)[0];
}

/** Opens the socket that the anonymous are refused; the chat greets the user by name. */
async function openSocket(address, cookie, name) {
  const url = new URL('/chat', address.replace('http', 'ws'));
  await refused(url);
  const socket = new WebSocket(url, { headers: { cookie, origin: address } });
  const [[greeting]] = await Promise.all([once(socket, 'message', { signal: AbortSignal.timeout(60_000) }), once(socket, 'open')]);
  if (!String(greeting).includes(`"${name}"`)) throw new Error(`the chat does not know ${name}: ${greeting}`);
  socket.close();
  await once(socket, 'close');
}

/** Without the cookie the same socket is closed at once, with the code of those who must log in. */
async function refused(url) {
  const socket = new WebSocket(url);
  const [code] = await once(socket, 'close', { signal: AbortSignal.timeout(60_000) });
  if (code !== 3000) throw new Error(`the chat closes the anonymous with ${code}, not 3000`);
}
