import { type CheckedClientOptions, checkedClientOptions, checkedUrl, jsonOf } from './checked-client-options.js';
import type { ClientOptions, ClientState, RequestOptions } from './client-options.js';
import { actionOn, brokenLine, type CloseAction, type Closing } from './close-contract.js';
import { isOffline, whenWorthALook } from './environment.js';
import { failureOf } from './failure.js';
import { guarded } from './guarded.js';
import { closeMs, maxServerErrors, open, renewalCountsMs, soonMs } from './limits.js';
import { Requests } from './requests.js';
import type { ClientData, ClientSocket, ClientSocketEvent } from './socket.js';
import { StateStream } from './state-stream.js';

/** A connection to a channel that comes back by itself, as the server's close codes ask. Made by `connectChannel`. */
export class ClientChannel {
  readonly #url: URL;
  readonly #options: CheckedClientOptions;
  readonly #states = new StateStream<ClientState>({ name: 'connecting' });
  readonly #requests: Requests;
  /** Aborted when it stops. */
  readonly #life = new AbortController();
  #socket: ClientSocket | undefined;
  /** Of the one attempt, pause or renewal at hand. */
  #step = new AbortController();
  #cancelTimer: (() => void) | undefined;
  #cancelStable: (() => void) | undefined;
  /** Whether a ping has no answer yet, or none is to be sent: asked again and again, a line would never count as dead. */
  #isAsked = false;
  /** How the last connection ended, or an attempt failed. */
  #last: { readonly closing: Closing; readonly error?: unknown } = { closing: brokenLine };
  #failures = 0;
  #failedHandshakes = 0;
  #serverErrors = 0;
  /** No renewal before it. */
  #renewableAt = 0;
  /** No attempt before it, whatever happens. */
  #notBefore = 0;

  /** @internal */
  constructor(url: string | URL, options: ClientOptions) {
    this.#url = checkedUrl(url);
    this.#options = checkedClientOptions(options);
    this.#requests = new Requests(this.#options.clock, this.#life.signal, (data) => this.send(data));
    whenWorthALook(() => this.#look(), this.#life.signal);
    void this.#connect();
  }

  /** Where it stands. */
  get state(): ClientState {
    return this.#states.current;
  }

  /** The present state, and each change, until it has stopped. */
  get states(): AsyncIterable<ClientState> {
    return this.#states;
  }

  /**
   * Sends one message. Returns `false`, and keeps nothing, if there is no open connection. `true` is no proof that it arrived: for that,
   * use {@link request}.
   */
  send(data: ClientData): boolean {
    const isOpen = this.#socket?.readyState === open;
    // views are taken everywhere, but not by all types of all platforms
    if (isOpen) this.#socket?.send(data as string);
    return isOpen;
  }

  /** {@link send}, with `value` as JSON. @throws {TypeError} when JSON cannot hold it. */
  sendJson(value: unknown): boolean {
    return this.send(jsonOf(value));
  }

  /**
   * Sends `data` with a `requestId`, and again on each new connection until it is answered. So it arrives at least once, and
   * `withRequestId` on the server handles it once. Resolves to the `result` of the answer. Rejected by anything but a `RequestError`, it
   * may have been handled.
   *
   * @throws {RequestError} (as a rejection) when the handler answered with an error.
   * @throws {DOMException} (as a rejection) named `TimeoutError` when no answer came in time, or `AbortError` when the client stopped.
   * @throws {TypeError} (as a rejection) when `timeoutMs` is out of its range or `data` is not an object that JSON can hold.
   */
  request<Result = unknown>(data: object, options: RequestOptions = {}): Promise<Result> {
    return this.#requests.start(data, options) as Promise<Result>;
  }

  /**
   * Closes the connection for good.
   *
   * @param code 1000, or 3000 to 4999; beside it a reason of at most 123 bytes of UTF-8.
   * @throws whatever the platform's `WebSocket` throws for other values; the connection then stays.
   */
  close(code = 1000, reason = ''): void {
    const socket = this.#socket;
    socket?.close(code, reason);
    this.#letGo();
    socket?.addEventListener(
      'close',
      this.#options.clock.setTimer(() => socket.terminate?.(), closeMs),
    );
    this.#last = { closing: { code, reason } };
    this.#stop('closed');
  }

  async #connect(): Promise<void> {
    const { ticket, protocols, WebSocket } = this.#options;
    if (isOffline()) return this.#pause(0);
    const signal = this.#begin({ name: 'connecting' });
    this.#setTimer(() => this.#lose(), this.#options.connectTimeoutMs);
    const url = new URL(this.#url);
    let offered: string | readonly string[] | undefined;
    try {
      offered = typeof protocols === 'function' ? await protocols(signal) : protocols;
      if (ticket) url.searchParams.set('ticket', await ticket(signal));
    } catch (error) {
      if (!signal.aborted) this.#failed(error);
      return;
    }
    if (signal.aborted) return;
    try {
      this.#listen(new WebSocket(url.href, offered as string[]));
    } catch (error) {
      // another attempt would throw the same
      this.#last = { ...this.#last, error };
      this.#stop('refused');
    }
  }

  #listen(socket: ClientSocket): void {
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    const hear = <Event extends ClientSocketEvent>(type: 'open' | 'message' | 'close' | 'error', react: (event: Event) => void): void =>
      socket.addEventListener(type, (event) => {
        if (socket === this.#socket) react(event as Event);
      });
    hear('open', () => this.#opened());
    hear('message', ({ data }: ClientSocketEvent & { readonly data: string | ArrayBuffer }) => {
      this.#watch();
      if (!this.#requests.answered(data)) guarded(() => this.#options.onMessage?.(data));
    });
    hear('close', ({ code, reason }: Closing & ClientSocketEvent) => this.#over({ code, reason }));
    // no close follows where Node 22 cannot connect, and one with a code of its own in Deno
    hear('error', () => this.#lose());
    socket.on?.('unexpected-response', (_, { statusCode, headers }) => {
      if (socket !== this.#socket) return;
      this.#drop();
      this.#failed({ status: statusCode, headers: new Map(Object.entries(headers)) });
    });
  }

  #opened(): void {
    this.#begin({ name: 'open' });
    this.#failedHandshakes = 0;
    this.#cancelStable = this.#options.clock.setTimer(() => {
      this.#failures = 0;
      this.#serverErrors = 0;
      this.#renewableAt = 0;
    }, this.#options.stableMs);
    this.#watch();
    this.#requests.sendAll();
  }

  /** Waits for silence, and asks then whether anybody is there. */
  #watch(): void {
    const { pingMs } = this.#options;
    this.#isAsked = !pingMs;
    if (pingMs) this.#setTimer(() => this.#ping(), pingMs);
  }

  #ping(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    const halfMs = this.#options.pongMs / 2;
    this.sendJson({ ping: true, requestId: this.#requests.newId() });
    // by halves: where the machine slept or was busy, what has arrived is told in between
    this.#setTimer(() => this.#setTimer(() => this.#lose(), halfMs), halfMs);
  }

  /** Nobody answers: what the platform would notice after minutes. */
  #lose(): void {
    this.#drop();
    this.#over(brokenLine);
  }

  #drop(): void {
    const socket = this.#socket;
    this.#letGo();
    (socket?.terminate ?? socket?.close)?.call(socket);
  }

  /** The network came or went, or somebody looks at the page. */
  #look(): void {
    const { name } = this.state;
    if (name === 'open') this.#ping();
    else if (name === 'waiting' || name === 'offline') this.#pause(Math.max(0, this.#notBefore - this.#options.clock.monotonic()));
  }

  #over(closing: Closing): void {
    this.#letGo();
    this.#last = { closing };
    const said: unknown = guarded(() => this.#options.onClose?.(closing));
    // without types it is easily `false`, or a promise: nobody has decided anything then
    const action = typeof said === 'string' ? (said as CloseAction) : this.#actionOn(closing);
    if (action === 'later') this.#serverErrors += 1;
    if (this.#serverErrors > maxServerErrors) this.#stop('failing');
    else this.#act(action);
  }

  #act(action: CloseAction): void {
    if (this.#life.signal.aborted) return; // `onClose` has closed it
    if (action === 'log-in') this.#stop(action);
    else if (action === 'stop') this.#stop('refused');
    else if (action === 'renew') void this.#renew();
    else this.#wait(action);
  }

  #actionOn(closing: Closing): CloseAction {
    if (closing.code !== brokenLine.code) return actionOn(closing);
    if (this.state.name === 'open') return this.#failures ? 'backoff' : 'at-once';
    this.#failedHandshakes += 1;
    // a page is not told why handshakes fail: a credential that is over may be why
    return this.#failedHandshakes % 3 === 2 && this.#mayRenew() ? 'renew' : 'backoff';
  }

  #mayRenew(): boolean {
    return !!this.#options.renew && this.#renewableAt <= this.#options.clock.monotonic();
  }

  async #renew(): Promise<void> {
    if (!this.#mayRenew()) return this.#stop('log-in');
    const signal = this.#begin({ name: 'renewing', ...this.#last });
    this.#setTimer(() => this.#wait('backoff'), this.#options.connectTimeoutMs);
    try {
      const answer = await this.#options.renew?.(this.#last.closing, signal);
      if ((answer as { readonly ok?: unknown } | undefined)?.ok === false) throw answer;
      if (signal.aborted) return;
      this.#renewableAt = this.#options.clock.monotonic() + renewalCountsMs;
      void this.#connect();
    } catch (error) {
      if (!signal.aborted) this.#failed(error, true);
    }
  }

  /** A credential could not be had, or a handshake was answered with a refusal. */
  #failed(error: unknown, isRenewal = false): void {
    this.#last = { ...this.#last, error };
    const failure = failureOf(error);
    if (typeof failure === 'number') this.#wait('backoff', failure);
    else this.#act(isRenewal ? 'log-in' : failure);
  }

  /** Returns after a while of its own, and `atLeastMs`. */
  #wait(action: CloseAction, atLeastMs = 0): void {
    const { minDelayMs, maxDelayMs } = this.#options;
    const leastMs = action === 'much-later' ? maxDelayMs : action === 'later' ? soonMs : atLeastMs;
    const boundMs = action === 'at-once' ? 0 : action === 'soon' ? soonMs : Math.min(maxDelayMs, minDelayMs * 2 ** this.#failures);
    this.#failures += 1;
    this.#notBefore = this.#options.clock.monotonic() + leastMs;
    this.#pause(leastMs + this.#options.random() * boundMs);
  }

  #pause(inMs: number): void {
    if (isOffline()) this.#begin({ name: 'offline', ...this.#last });
    else {
      this.#begin({ name: 'waiting', inMs, ...this.#last });
      this.#setTimer(() => void this.#connect(), inMs);
    }
  }

  #stop(why: Extract<ClientState, { name: 'stopped' }>['why']): void {
    if (this.#life.signal.aborted) return;
    this.#begin({ name: 'stopped', why, ...this.#last });
    this.#states.end();
    this.#life.abort();
  }

  /** Goes on to `state`; nothing that was waited for counts any more. */
  #begin(state: ClientState): AbortSignal {
    this.#cancelTimer?.();
    this.#step.abort();
    this.#step = new AbortController();
    this.#states.set(state);
    return this.#step.signal;
  }

  #setTimer(fn: () => void, ms: number): void {
    this.#cancelTimer?.();
    this.#cancelTimer = this.#options.clock.setTimer(fn, ms);
  }

  /** The connection is no longer ours. */
  #letGo(): void {
    this.#socket = undefined;
    this.#cancelStable?.();
  }
}
