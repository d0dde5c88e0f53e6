const typingLastsMs = 4000;
const entriesKept = 300;

/** What this page knows of one room. */
export class ChatRoom {
  joined = false;
  /** Messages, and notices of who came and went, oldest first. */
  entries = [];
  people = new Map();
  /** Who is writing: by id. */
  typing = new Map();
  #timers = new Map();
  #readKey;
  #draftKey;

  constructor({ id, name, about, staffOnly }, you) {
    Object.assign(this, { id, name, about, staffOnly });
    this.you = you;
    this.#readKey = `multichat:read:${you.id}:${id}`;
    this.#draftKey = `multichat:draft:${you.id}:${id}`;
  }

  /** What was written and not sent. This tab of the browser keeps it, over a reload and a log-in. */
  get draft() {
    return sessionStorage.getItem(this.#draftKey) ?? '';
  }

  set draft(text) {
    if (text === '') sessionStorage.removeItem(this.#draftKey);
    else sessionStorage.setItem(this.#draftKey, text);
  }

  get unread() {
    const readUntil = localStorage.getItem(this.#readKey) ?? '';
    return this.entries.filter(({ text, from, at }) => text !== undefined && from.id !== this.you.id && at > readUntil).length;
  }

  /** Everything so far has been seen. It is kept by the browser, so that a reload and other tabs know it. */
  markRead() {
    const newest = this.entries.findLast(({ text }) => text !== undefined);
    if (newest !== undefined && newest.at > (localStorage.getItem(this.#readKey) ?? '')) localStorage.setItem(this.#readKey, newest.at);
  }

  /** What was said before a first visit is not unread. */
  markReadAtFirst() {
    if (localStorage.getItem(this.#readKey) === null) this.markRead();
  }

  setPeople(people) {
    this.joined = true;
    this.people = new Map(people.map((person) => [person.id, person]));
  }

  leave() {
    this.joined = false;
    this.people.clear();
    for (const id of [...this.typing.keys()]) this.stopTyping(id);
  }

  /** Takes what the server remembers. What arrived meanwhile is kept, and nothing is there twice. Returns whether anything was new. */
  addHistory(messages) {
    const known = new Map(this.entries.map((entry) => [entry.id, entry]));
    const before = known.size;
    for (const message of messages) known.set(message.id, message);
    if (known.size === before) return false;
    this.entries = [...known.values()].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0)).slice(-entriesKept);
    return true;
  }

  /** Returns whether it was new. */
  addMessage(message) {
    this.stopTyping(message.from.id);
    if (this.entries.some(({ id }) => id === message.id)) return false;
    this.#add(message);
    return true;
  }

  addNotice(notice, at) {
    const entry = { id: crypto.randomUUID?.() ?? `${at}${Math.random()}`, notice, at };
    this.#add(entry);
    return entry;
  }

  startTyping(person, onStop) {
    clearTimeout(this.#timers.get(person.id));
    this.typing.set(person.id, person);
    const stop = () => {
      this.stopTyping(person.id);
      onStop();
    };
    this.#timers.set(person.id, setTimeout(stop, typingLastsMs));
  }

  stopTyping(id) {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
    this.typing.delete(id);
  }

  #add(entry) {
    this.entries = [...this.entries, entry].slice(-entriesKept);
  }
}
