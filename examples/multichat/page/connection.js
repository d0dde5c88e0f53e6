const firstDelayMs = 500;
const longestDelayMs = 15_000;
/** The credential is no good any more, or the page is not let in: there is no use in coming back. */
const finalCodes = [3000, 3003];

/**
 * The socket, kept open: when it closes, another one is opened after a while that doubles each time and is never quite the same, so
 * that a thousand pages do not come back in the same moment. Only a log-in that has ended stops it.
 *
 * Events: `state` (its `detail` has the `state`: `connecting`, `open`, `waiting` or `ended`, and the `reason` of the last close) and `event`
 * (its `detail` is what the server sent).
 */
export class Connection extends EventTarget {
  #url;
  #socket;
  #timer;
  #failures = 0;
  #state = 'connecting';
  #reason = '';

  constructor(url) {
    super();
    this.#url = url;
    addEventListener('online', () => this.retry());
    addEventListener('offline', () => this.#socket?.close());
    document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && this.retry());
  }

  get isOpen() {
    return this.#state === 'open';
  }

  open() {
    this.#become('connecting');
    const socket = new WebSocket(this.#url);
    this.#socket = socket;
    socket.addEventListener('open', () => {
      this.#failures = 0;
      this.#become('open');
    });
    socket.addEventListener('message', ({ data }) => this.dispatchEvent(new CustomEvent('event', { detail: JSON.parse(data) })));
    socket.addEventListener('close', ({ code, reason }) => {
      this.#reason = reason;
      if (finalCodes.includes(code)) this.#become('ended');
      else this.#wait();
    });
  }

  /** Sends `command` as JSON; returns whether there was a connection to send it on. */
  send(command) {
    if (!this.isOpen) return false;
    this.#socket.send(JSON.stringify(command));
    return true;
  }

  /** Comes back at once, if it is waiting to come back. */
  retry() {
    if (this.#state !== 'waiting') return;
    clearTimeout(this.#timer);
    void this.#return();
  }

  #wait() {
    const delay = Math.min(firstDelayMs * 2 ** this.#failures, longestDelayMs);
    this.#failures += 1;
    this.#become('waiting');
    this.#timer = setTimeout(() => void this.#return(), delay * (0.5 + Math.random() / 2));
  }

  /** A browser does not tell a page why its handshake was refused, so the page asks whether it is still logged in. */
  async #return() {
    this.#become('connecting');
    const answer = await fetch('/me', { cache: 'no-store' }).catch(() => undefined);
    if (answer?.status === 401) {
      this.#reason = '';
      this.#become('ended');
    } else if (answer?.ok) this.open();
    else this.#wait();
  }

  #become(state) {
    if (this.#state === state && state !== 'connecting') return;
    this.#state = state;
    this.dispatchEvent(new CustomEvent('state', { detail: { state, reason: this.#reason } }));
  }
}
