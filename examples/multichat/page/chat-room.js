const typingLastsMs = 4000;
const entriesKept = 300;
/** Who has missed more begins with the newest. */
const mostCaughtUp = 200;

/** How many notices this page has put into its logs: each has an id. */
let noticesMade = 0;

/** What this page knows of one room: a piece of its messages without a hole, which ends with the newest one unless the reader is far above it. */
export class ChatRoom {
  joined = false;
  /** Messages, and notices of what happened between them, oldest first. */
  entries = [];
  /** Who is here: by id; another map after each change. */
  people = new Map();
  /** Who is writing: by id. */
  typing = new Map();
  /** Number of the newest message in the room. */
  last = 0;
  /** The reader is so far above that the newest messages are not kept. */
  isDetached = false;
  /** Which messages have been asked for and have not come. */
  #asked;
  /** Who is here, as the log has it. */
  #noted = new Map();
  #timers = new Map();
  #page;
  #readKey;
  #draftKey;

  /** `page` has `you`, `notices()`, `send(command)` and `changed()`. */
  constructor({ id, name, about, staffOnly }, page) {
    Object.assign(this, { id, name, about, staffOnly });
    this.#page = page;
    this.#readKey = `multichat:read:${page.you.id}:${id}`;
    this.#draftKey = `multichat:draft:${page.you.id}:${id}`;
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
    return this.joined ? Math.max(0, this.last - Number(localStorage.getItem(this.#readKey) ?? this.last)) : 0;
  }

  /** Everything so far has been seen. It is kept by the browser, so that a reload and other tabs know it. */
  markRead() {
    localStorage.setItem(this.#readKey, String(this.last));
  }

  get hasOlder() {
    return this.#first > 1;
  }

  /** Number of the oldest message that is here. */
  get #first() {
    return this.entries.find(({ number }) => number !== undefined)?.number ?? 1;
  }

  /** Number of the newest message that is here. */
  get #end() {
    return this.entries.findLast(({ number }) => number !== undefined)?.number ?? 0;
  }

  /** The server lets us in, or says again how things are: what is missing is asked for. */
  enter({ people, last }) {
    const missed = last - this.#end;
    const isFirst = !this.joined;
    const now = new Map(people.map((person) => [person.id, person]));
    this.joined = true;
    this.last = last;
    this.#asked = undefined;
    if (isFirst) this.#noted = new Map(now);
    this.changePeople({ came: people, left: [...this.people.keys()].filter((id) => !now.has(id)) });
    // What was said before a first visit is not unread, and a server may have begun anew.
    if (!(Number(localStorage.getItem(this.#readKey) ?? Number.NaN) <= last)) this.markRead();
    if (missed === 0) return;
    if (this.#end === 0 || missed < 0) this.load('newest');
    else if (!this.isDetached) {
      this.#note(`You were away for a moment. ${missed === 1 ? 'One message' : `${missed} messages`} came meanwhile.`);
      this.load(missed > mostCaughtUp ? 'newest' : 'newer');
    }
  }

  leave() {
    this.joined = false;
    this.people = new Map();
    for (const name of [...this.#timers.keys()]) this.#stopTimer(name);
    this.typing.clear();
  }

  /** Asks for what the reader has come to: `older`, `newer` or `newest` messages. */
  load(edge) {
    if (edge === 'newest') {
      this.entries = this.entries.filter(({ notice }) => notice !== undefined).slice(-1);
      this.isDetached = false;
    }
    if (edge === 'newest' || this.#asked === undefined)
      this.#ask({ newest: {}, newer: { after: this.#end }, older: { before: this.#first } }[edge]);
  }

  get isWaiting() {
    return this.joined && this.#asked !== undefined;
  }

  /** Asks again for what could not be read. */
  askAgain() {
    if (this.isWaiting) this.#ask(this.#asked);
  }

  #ask(range) {
    this.#asked = this.#page.send({ command: 'history', room: this.id, ...range }) ? range : undefined;
  }

  /** Takes what was asked for. */
  addHistory({ before, messages }) {
    this.#asked = undefined;
    if (before === undefined) {
      for (const message of messages) if (this.#end === 0 || message.number === this.#end + 1) this.#add(message);
      // what came meanwhile
      if (messages.length > 0 && this.#end < this.last && !this.isDetached) this.load('newer');
      else if (this.#end >= this.last) this.isDetached = false;
      return;
    }
    const first = this.#first;
    const all = [...messages.filter(({ number }) => number < first), ...this.entries];
    this.entries = all.slice(0, entriesKept);
    if (all.length > entriesKept) this.isDetached = this.#end < this.last;
  }

  /** Takes a message from the room; where one before it is missing, that is asked for. `keepsOld`: the reader looks at the oldest. */
  addMessage(message, keepsOld) {
    this.stopTyping(message.from.id);
    this.last = Math.max(this.last, message.number);
    if (keepsOld && this.entries.length >= entriesKept) this.isDetached = true;
    if (this.isDetached) return;
    if (message.number === this.#end + 1) this.#add(message);
    else if (message.number > this.#end) this.load('newer');
  }

  /** Takes who came, and the ids of those who left; it may know of them already. Whoever stays so for a while is noted. */
  changePeople({ came, left }) {
    this.people = new Map([...this.people, ...came.map((person) => [person.id, person])]);
    for (const id of left) {
      this.people.delete(id);
      this.stopTyping(id);
    }
    const { upTo, graceMs } = this.#page.notices();
    for (const [id, { name }] of new Map([...this.#noted, ...this.people])) {
      const timer = `note:${id}`;
      const turn = () => this.#noted.delete(id) || this.#noted.set(id, this.people.get(id));
      const isNews = this.people.has(id) !== this.#noted.has(id);
      if (isNews && this.people.size <= upTo && this.#timers.has(timer)) continue;
      this.#stopTimer(timer);
      if (isNews && this.people.size > upTo) turn();
      else if (isNews) {
        this.#startTimer(timer, graceMs, () => {
          turn();
          this.#note(this.people.has(id) ? 'came in' : 'left', name);
        });
      }
    }
  }

  startTyping(person) {
    this.#stopTimer(person.id);
    this.typing.set(person.id, person);
    this.#startTimer(person.id, typingLastsMs, () => this.stopTyping(person.id));
  }

  stopTyping(id) {
    this.#stopTimer(id);
    this.typing.delete(id);
  }

  /** Puts a notice into the log: what happened, and to whom. */
  #note(notice, who) {
    if (!this.isDetached) this.#add({ id: `notice ${++noticesMade}`, notice, who, at: new Date().toISOString() });
  }

  #add(entry) {
    this.entries = [...this.entries, entry].slice(-entriesKept);
  }

  #startTimer(name, ms, then) {
    const run = () => {
      this.#timers.delete(name);
      then();
      this.#page.changed();
    };
    this.#timers.set(name, setTimeout(run, ms));
  }

  #stopTimer(name) {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}
