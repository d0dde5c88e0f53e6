const typingEveryMs = 2000;

/** The box to write in. What is written stays in it, or comes back to it, until the server has it. */
export class Composer {
  #form;
  #text;
  #button;
  #connection;
  #room;
  #sent;
  #typedAt = 0;

  constructor(form, connection) {
    this.#form = form;
    this.#text = form.elements.namedItem('text');
    this.#button = form.querySelector('button');
    this.#connection = connection;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#send();
    });
    this.#text.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#form.requestSubmit();
    });
    this.#text.addEventListener('input', () => this.#typing());
  }

  /** Writes to `room` from now on, where its draft left off. */
  switchTo(room) {
    if (this.#room === room) return;
    this.#room = room;
    this.#text.value = room?.draft ?? '';
  }

  focus() {
    this.#text.focus();
  }

  /** A message of ours came back: the server has it. */
  arrived({ room, text }) {
    if (this.#sent?.room.id === room && this.#sent.text === text) this.#sent = undefined;
  }

  setOnline(online) {
    this.#button.disabled = !online;
    this.#text.placeholder = online ? 'Write a message' : 'Waiting for the connection…';
    if (online || this.#sent === undefined) return;
    const { room, text } = this.#sent;
    this.#sent = undefined;
    if (room !== this.#room) room.draft ||= text;
    else if (this.#text.value === '') this.#text.value = room.draft = text;
  }

  #send() {
    const text = this.#text.value.trim();
    if (text === '' || this.#room === undefined) return;
    if (!this.#connection.send({ command: 'send', room: this.#room.id, text })) return;
    this.#sent = { room: this.#room, text };
    this.#text.value = this.#room.draft = '';
    this.#typedAt = 0;
  }

  #typing() {
    if (this.#room !== undefined) this.#room.draft = this.#text.value;
    if (this.#text.value.trim() === '' || this.#room === undefined || Date.now() - this.#typedAt < typingEveryMs) return;
    this.#typedAt = Date.now();
    this.#connection.send({ command: 'typing', room: this.#room.id });
  }
}
