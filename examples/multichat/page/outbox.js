const patienceMs = 30_000;

/**
 * What was written and is not in its room yet, sent one after the other. Each message has an id that the server knows it by, so it may be sent as often as it takes.
 * This tab of the browser keeps it over a reload and a log-in.
 */
export class Outbox {
  messages = [];
  #key;
  #request;
  #onSent;
  #onChange;
  #isBusy = false;

  /** `request` sends a message and resolves to its number and time; `onSent` is told of what is in its room, `onChange` of what looks otherwise now. */
  constructor(key, { request, onSent, onChange }) {
    this.#key = key;
    this.#request = request;
    this.#onSent = onSent;
    this.#onChange = onChange;
    this.messages = JSON.parse(sessionStorage.getItem(key) ?? '[]');
  }

  in(room) {
    return this.messages.filter((message) => message.room === room);
  }

  add(room, text) {
    const id = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
    this.messages.push({ id, room, text, at: new Date().toISOString(), state: 'pending' });
    this.#changed();
    void this.run();
  }

  sendAgain(id) {
    const message = this.messages.find((each) => each.id === id);
    if (message === undefined) return;
    message.state = 'pending';
    this.#changed();
    void this.run();
  }

  /** It has come back from the room, or is given up. */
  remove(id) {
    const { length } = this.messages;
    this.messages = this.messages.filter((each) => each.id !== id);
    if (this.messages.length !== length) this.#changed();
  }

  /** Sends what waits. */
  async run() {
    if (this.#isBusy) return;
    this.#isBusy = true;
    const next = () => this.messages.find(({ state }) => state === 'pending');
    for (let message = next(); message !== undefined; message = next()) {
      if (!(await this.#send(message))) break;
    }
    this.#isBusy = false;
  }

  /** Resolves to whether there is a use in going on. */
  async #send(message) {
    const until = Date.now() + patienceMs;
    const { id, room, text } = message;
    for (;;) {
      try {
        const { number, at } = await this.#request({ command: 'send', room, id, text }, { timeoutMs: patienceMs });
        this.#onSent({ id, room, text, number, at });
        this.remove(id);
        return true;
      } catch (error) {
        // the connection is over: it is sent again by the next one
        if (error.name === 'AbortError') return false;
        const waitMs = error.details?.retryAfterMs;
        if (waitMs === undefined || Date.now() + waitMs > until) {
          message.state = 'failed';
          this.#changed();
          return true;
        }
        await new Promise((resolve) => setTimeout(resolve, waitMs));
      }
    }
  }

  #changed() {
    if (this.messages.length === 0) sessionStorage.removeItem(this.#key);
    else sessionStorage.setItem(this.#key, JSON.stringify(this.messages));
    this.#onChange();
  }
}
