import { randomUUID } from 'node:crypto';
import { WebSocket } from 'ws';
import type { ChatEvent } from '../../src/events.js';

type ClientProblem = { readonly error: string; readonly room?: string; readonly issues?: readonly unknown[]; readonly requestId?: string };
/** What a numbered message was answered with. */
type Answer = { readonly requestId: string; readonly result?: unknown };
export type Received = ChatEvent | ClientProblem | Answer;

/** Somebody without a browser: logs in with a form, as HTML does, and talks through a real socket. */
export class Visitor {
  cookie: string | undefined;

  constructor(readonly url: string) {}

  /** Sends a form from a page of the same site and keeps the cookie of the answer. */
  async post(path: string, fields: Record<string, string> = {}, headers: Record<string, string> = {}): Promise<Response> {
    const response = await fetch(this.url + path, {
      method: 'POST',
      body: new URLSearchParams(fields),
      headers: { Origin: this.url, ...this.#cookieHeader(), ...headers },
      redirect: 'manual',
    });
    const [cookie] = response.headers.getSetCookie();
    if (cookie !== undefined) this.cookie = cookie.split(';', 1)[0];
    return response;
  }

  async get(path: string): Promise<Response> {
    return fetch(this.url + path, { headers: this.#cookieHeader(), redirect: 'manual' });
  }

  async logIn(name: string, password: string, headers: Record<string, string> = {}): Promise<this> {
    const response = await this.post('/login', { name, password }, headers);
    if (response.status !== 303) throw new Error(`Log-in of ${name} was answered with ${response.status}.`);
    return this;
  }

  /** Opens a page's socket; resolves with the welcome. */
  async open(): Promise<Page> {
    const page = new Page(
      new WebSocket(`${this.url.replace('http', 'ws')}/chat`, { headers: { Origin: this.url, ...this.#cookieHeader() } }),
    );
    page.welcome = await page.next('welcome');
    return page;
  }

  /** Tries to open a socket; resolves to the code with which it is closed at once. */
  async refusal(headers: Record<string, string> = {}): Promise<number> {
    const socket = new WebSocket(`${this.url.replace('http', 'ws')}/chat`, { headers: { ...this.#cookieHeader(), ...headers } });
    return new Promise((resolve, reject) => {
      socket.on('message', () => {
        socket.terminate();
        reject(new Error('The socket was let in.'));
      });
      socket.on('close', resolve);
      socket.on('error', () => {});
    });
  }

  #cookieHeader(): Record<string, string> {
    return this.cookie === undefined ? {} : { Cookie: this.cookie };
  }
}

/** The socket of one page, and what it was sent. */
export class Page {
  /** Those whose sockets are open. */
  static readonly open = new Set<Page>();
  /** What nobody has asked for yet. */
  readonly #unread: Received[] = [];
  readonly #waiting: { wants: (received: Received) => boolean; resolve: (received: Received) => void }[] = [];
  /** Names of those in each room, by id, as this page was told. */
  readonly #people = new Map<string, Map<string, string>>();
  readonly closed: Promise<{ code: number; reason: string }>;
  welcome!: Extract<ChatEvent, { event: 'welcome' }>;

  constructor(readonly socket: WebSocket) {
    this.closed = new Promise((resolve) => socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() })));
    socket.on('open', () => Page.open.add(this)).on('close', () => Page.open.delete(this));
    socket.on('error', () => {});
    socket.on('message', (data) => this.#take(JSON.parse(String(data)) as Received));
  }

  send(command: unknown): void {
    this.socket.send(typeof command === 'string' ? command : JSON.stringify(command));
  }

  /** The next `event` that was not asked for before; others stay where they are. */
  async next<Name extends ChatEvent['event']>(event: Name): Promise<Extract<ChatEvent, { event: Name }>> {
    return this.#find((received) => 'event' in received && received.event === event) as Promise<Extract<ChatEvent, { event: Name }>>;
  }

  /** Waits until those in a room are these, by name. */
  async people(room: string, ...names: readonly string[]): Promise<void> {
    const isSo = () => [...(this.#people.get(room)?.values() ?? [])].toSorted().join() === names.toSorted().join();
    if (!isSo()) await this.#find((received) => 'event' in received && received.event === 'people' && isSo());
    this.drop('people');
  }

  /** Sends a numbered message; resolves to its answer. */
  async request(command: object, requestId: string = randomUUID()): Promise<Answer | ClientProblem> {
    this.send({ ...command, requestId });
    return this.#find((received) => 'requestId' in received && received.requestId === requestId) as Promise<Answer | ClientProblem>;
  }

  /** Writes in a room. */
  write(room: string, text: string, id: string = randomUUID()): void {
    this.send({ command: 'send', room, id, text });
  }

  /** Forgets events that nobody has asked for. */
  drop(event: ChatEvent['event']): void {
    const kept = this.#unread.filter((received) => !('event' in received && received.event === event));
    this.#unread.splice(0, this.#unread.length, ...kept);
  }

  async problem(): Promise<ClientProblem> {
    return this.#find((received) => 'error' in received) as Promise<ClientProblem>;
  }

  /**
   * What came and was not asked for, but for who is in which room, which is told a moment later than all else. Everything that the server
   * had sent to this page when it handled the ping is there: a question with a known answer comes back after it.
   */
  async rest(): Promise<readonly Received[]> {
    this.send({ command: 'no such command' });
    await this.#find((received) => 'error' in received && received.error === 'unknown_command');
    this.drop('people');
    return this.#unread.splice(0);
  }

  async close(): Promise<void> {
    this.socket.close();
    await this.closed;
  }

  #take(received: Received): void {
    if ('event' in received) this.#note(received);
    const index = this.#waiting.findIndex(({ wants }) => wants(received));
    const [waiting] = index < 0 ? [] : this.#waiting.splice(index, 1);
    if (waiting === undefined) this.#unread.push(received);
    else waiting.resolve(received);
  }

  #note(event: ChatEvent): void {
    const rooms = event.event === 'welcome' ? event.joined : event.event === 'joined' ? [event] : [];
    for (const { room, people } of rooms) this.#people.set(room, new Map(people.map(({ id, name }) => [id, name])));
    if (event.event !== 'people') return;
    for (const { id, name } of event.came) this.#people.get(event.room)?.set(id, name);
    for (const id of event.left) this.#people.get(event.room)?.delete(id);
  }

  async #find(wants: (received: Received) => boolean): Promise<Received> {
    const index = this.#unread.findIndex(wants);
    const [found] = index < 0 ? [] : this.#unread.splice(index, 1);
    return found ?? new Promise((resolve) => this.#waiting.push({ wants, resolve }));
  }
}

/** A page of `visitor` that has joined `room`; what that changed is saved, and what came of it has been read. */
export async function joined(visitor: Visitor, room: string): Promise<Page> {
  const page = await visitor.open();
  page.send({ command: 'join', room });
  await page.next('joined');
  await page.rest();
  return page;
}
