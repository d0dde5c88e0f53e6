import { byId } from './elements.js';

const typingEveryMs = 2000;
const most = 2000;
/** With fewer characters left, it is said how many. */
const nearLimit = 200;

/** The box to write in. */
export class Composer {
  #text = byId('text');
  #left = byId('left');
  #room;
  #onSend;
  #onTyping;
  #typedAt = 0;

  constructor({ onSend, onTyping }) {
    const form = byId('composer');
    this.#onSend = onSend;
    this.#onTyping = onTyping;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#text.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form.requestSubmit();
    });
    this.#text.addEventListener('input', () => this.#typing());
  }

  /** Writes to `room` from now on, where its draft left off. */
  switchTo(room) {
    if (this.#room === room) return;
    this.#room = room;
    this.#text.value = room?.draft ?? '';
    this.#count();
  }

  focus() {
    this.#text.focus();
  }

  #send() {
    const text = this.#text.value.trim();
    if (text === '' || this.#room === undefined) return;
    this.#text.value = this.#room.draft = '';
    this.#typedAt = 0;
    this.#count();
    this.#onSend(this.#room, text);
  }

  #typing() {
    this.#count();
    if (this.#room !== undefined) this.#room.draft = this.#text.value;
    if (this.#text.value.trim() === '' || this.#room === undefined || Date.now() - this.#typedAt < typingEveryMs) return;
    this.#typedAt = Date.now();
    this.#onTyping(this.#room);
  }

  /** What is too long is not cut off, as it may have been pasted; but it cannot be sent. */
  #count() {
    const left = most - this.#text.value.trim().length;
    const tooMany = left < 0 ? `${-left} too many` : '';
    this.#left.textContent = tooMany || (left > nearLimit ? '' : `${left} left`);
    this.#text.setCustomValidity(tooMany && `A message has ${most} characters at most: ${tooMany}.`);
  }
}
