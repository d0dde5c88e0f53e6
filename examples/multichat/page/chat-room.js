const typingLastsMs = 4000;
const entriesKept = 300;
/** Who has missed more begins with the newest. */
const mostCaughtUp = 200;

/** What this page knows of one room: a piece of its messages without a hole, which ends with the newest one unless the reader is far above it. */
export class ChatRoom {
  joined = false;
  /** Messages, and notices of what happened between them, oldest first. */
  entries = [];
  people = new Map();
  /** Who is writing: by id. */
  typing = new Map();
  /** Number of the newest message in the room. */
  last = 0;
  /** The reader is so far above that the newest messages are not kept. */
  isDetached = false;
  #isAsking = false;
  /** Who is here, as the log has it. */
  #noted;
  #timers = new Map();
  #page;
  #readKey;
  #draftKey;

  /** `page` has `you`, `notices()`, `send(command)` and `changed(room)`. */
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
    return Math.max(0, this.last - Number(localStorage.getItem(this.#readKey) ?? this.last));
  }

  /** Everything so far has been seen. It is kept by the browser, so that a reload and other tabs know it. */
  markRead() {
    localStorage.setItem(this.#readKey, String(this.last));
  }

  get hasOlder() {
    return (this.#messages[0]?.number ?? 1) > 1;
  }

  get #messages() {
    return this.entries.filter(({ number }) => number !== undefined);
  }

  /** Number of the newest message that is here. */
  get #end() {
    return this.entries.findLast(({ number }) => number !== undefined)?.number ?? 0;
  }

  /** The server lets us in, or says again how things are: what is missing is asked for. */
  enter({ people, last }) {
    const missed = last - this.#end;
    this.joined = true;
    this.last = last;
    this.#isAsking = false;
    this.setPeople(people);
    if (localStorage.getItem(this.#readKey) === null) this.markRead(); // what was said before a first visit is not unread
    if (this.#end === 0 || missed < 0) this.loadNewest();
    else if (missed > 0 && !this.isDetached) {
      this.#note(
        missed === 1
          ? 'You were away for a moment. One message came meanwhile.'
          : `You were away for a moment. ${missed} messages came meanwhile.`,
      );
      if (missed > mostCaughtUp) this.loadNewest();
      else this.loadNewer();
    }
  }

  leave() {
    this.joined = false;
    this.people.clear();
    this.#noted = undefined;
    for (const id of [...this.#timers.keys()]) this.#stopTimer(id);
    this.typing.clear();
  }

  /** Asks for what the reader has come to: `older`, `newer` or `newest` messages. */
  load(edge) {
    if (edge === 'older') this.loadOlder();
    else if (edge === 'newer') this.loadNewer();
    else this.loadNewest();
  }

  loadNewest() {
    this.entries = this.entries.filter(({ notice }) => notice !== undefined).slice(-1);
    this.isDetached = false;
    this.#ask({});
  }

  loadNewer() {
    this.#ask({ after: this.#end });
  }

  loadOlder() {
    const [first] = this.#messages;
    if (first !== undefined && first.number > 1) this.#ask({ before: first.number });
  }

  /** Takes what was asked for. */
  addHistory({ before, messages }) {
    this.#isAsking = false;
    if (before === undefined) {
      for (const message of messages) this.#append(message);
      // what came meanwhile
      if (messages.length > 0 && this.#end < this.last && !this.isDetached) this.loadNewer();
      else if (this.#end >= this.last) this.isDetached = false;
      return;
    }
    const [first] = this.#messages;
    this.entries = [...messages.filter(({ number }) => number < first.number), ...this.entries];
    if (this.entries.length <= entriesKept) return;
    this.entries = this.entries.slice(0, entriesKept);
    this.isDetached = this.#end < this.last;
  }

  /** Takes a message from the room; where one before it is missing, that is asked for. `keepsOld`: the reader looks at the oldest. */
  addMessage(message, keepsOld) {
    this.stopTyping(message.from.id);
    const isNext = message.number === this.#end + 1;
    this.last = Math.max(this.last, message.number);
    if (keepsOld && this.entries.length >= entriesKept) this.isDetached = true;
    if (this.isDetached) return;
    if (isNext) this.#append(message);
    else if (message.number > this.#end) this.loadNewer();
  }

  /** Takes who came, and the ids of those who left; it may know of them already. */
  changePeople({ came, left }) {
    const gone = new Set(left);
    this.setPeople([...[...this.people.values()].filter(({ id }) => !gone.has(id)), ...came]);
  }

  /** Whoever came or went, and stays so for a while, is noted. */
  setPeople(people) {
    this.people = new Map(people.map((person) => [person.id, person]));
    this.#noted ??= new Map(this.people);
    const isQuiet = this.people.size > this.#page.notices().upTo;
    for (const [id, person] of new Map([...this.#noted, ...this.people])) {
      const timer = `note:${id}`;
      if (this.people.has(id) === this.#noted.has(id)) this.#stopTimer(timer);
      else if (isQuiet) this.#moved(person);
      else if (!this.#timers.has(timer)) {
        this.#startTimer(timer, this.#page.notices().graceMs, () => {
          this.#moved(person);
          this.#note(`${person.name} ${this.people.has(id) ? 'came in' : 'left'}`);
        });
      }
      if (!this.people.has(id)) this.stopTyping(id);
    }
  }

  startTyping(person) {
    this.typing.set(person.id, person);
    this.#startTimer(person.id, typingLastsMs, () => this.stopTyping(person.id));
  }

  stopTyping(id) {
    this.#stopTimer(id);
    this.typing.delete(id);
  }

  #moved(person) {
    if (this.people.has(person.id)) this.#noted.set(person.id, person);
    else this.#noted.delete(person.id);
  }

  #note(notice) {
    if (!this.isDetached) this.#add({ id: `notice-${performance.now()}-${notice}`, notice, at: new Date().toISOString() });
  }

  #append(message) {
    if (message.number === this.#end + 1 || this.#end === 0) this.#add(message);
  }

  #add(entry) {
    this.entries = [...this.entries, entry].slice(-entriesKept);
  }

  #ask(range) {
    if (this.#isAsking) return;
    this.#isAsking = this.#page.send({ command: 'history', room: this.id, ...range });
  }

  #startTimer(name, ms, then) {
    clearTimeout(this.#timers.get(name));
    const run = () => {
      this.#timers.delete(name);
      then();
      this.#page.changed(this);
    };
    this.#timers.set(name, setTimeout(run, ms));
  }

  #stopTimer(name) {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }
}
