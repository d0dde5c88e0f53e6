import { avatar, element, time, unseen } from './elements.js';

const groupMs = 5 * 60 * 1000;
const nearEndPx = 80;

/** The room that is open: what was said, who is there, who is writing. */
export class Conversation {
  #parts;
  #you;
  #last;
  /** Whether the newest entry is kept in sight: so until the reader scrolls up. */
  #follows = true;

  constructor(parts) {
    this.#parts = parts;
    parts.newest.addEventListener('click', () => {
      this.#scrollToEnd();
      parts.log.focus();
    });
    parts.log.addEventListener('scroll', () => {
      const { scrollHeight, scrollTop, clientHeight } = parts.log;
      this.#follows = scrollHeight - scrollTop - clientHeight < nearEndPx;
      if (this.#follows) parts.newest.hidden = true;
    });
    // A phone's keyboard, a notice or a turned screen takes space from the log.
    new ResizeObserver(() => this.#follows && this.#scrollToEnd()).observe(parts.log);
  }

  /** Shows all of a room. Screen readers are not made to read it out: only what comes afterwards is news. */
  show(room, you) {
    const { name, about, log, entries, newest } = this.#parts;
    this.#you = you;
    this.#last = undefined;
    name.textContent = room.name;
    about.textContent = room.about;
    newest.hidden = true;
    log.setAttribute('aria-live', 'off');
    entries.replaceChildren(...room.entries.map((entry) => this.#entry(entry)));
    if (room.entries.length === 0) entries.append(element('li', { class: 'quiet-room' }, 'Nobody has said anything yet.'));
    this.#scrollToEnd();
    requestAnimationFrame(() => log.setAttribute('aria-live', 'polite'));
    this.showPeople(room);
    this.showTyping(room);
  }

  /** Adds the newest entry; the reader's place is kept if they are reading further up. */
  add(entry) {
    const { entries, newest } = this.#parts;
    const follow = this.#follows || entry.from?.id === this.#you.id;
    entries.querySelector('.quiet-room')?.remove();
    entries.append(this.#entry(entry));
    if (follow) this.#scrollToEnd();
    else if (entry.text !== undefined) newest.hidden = false;
  }

  showPeople(room) {
    const people = [...room.people.values()].sort((a, b) => a.name.localeCompare(b.name));
    this.#parts.count.textContent = people.length === 1 ? '1 person here' : `${people.length} people here`;
    this.#parts.people.replaceChildren(
      ...people.map((person) => {
        const marks = [];
        if (person.id === this.#you.id) marks.push(element('span', { class: 'mark' }, 'you'));
        if (person.staff) marks.push(element('span', { class: 'mark' }, 'staff'));
        return element('li', {}, avatar(person), element('span', { class: 'name' }, person.name), ...marks);
      }),
    );
  }

  showTyping(room) {
    const names = [...room.typing.values()].map(({ name }) => name);
    const [first, second] = names;
    let text = '';
    if (names.length === 1) text = `${first} is typing…`;
    else if (names.length === 2) text = `${first} and ${second} are typing…`;
    else if (names.length > 2) text = 'Several people are typing…';
    this.#parts.typing.textContent = text;
  }

  #entry(entry) {
    const previous = this.#last;
    this.#last = entry;
    if (entry.notice !== undefined) return element('li', { class: 'notice' }, entry.notice, ' ', time(entry.at));
    const mine = entry.from.id === this.#you.id;
    const goesOn = previous?.from?.id === entry.from.id && Date.parse(entry.at) - Date.parse(previous.at) < groupMs;
    const item = element('li', { class: `message${mine ? ' mine' : ''}${goesOn ? ' goes-on' : ''}` });
    const author = element('span', { class: 'author' }, mine ? 'You' : entry.from.name);
    if (goesOn) item.append(unseen(`${author.textContent}: `));
    else item.append(avatar(entry.from), element('p', { class: 'by' }, author, ' ', time(entry.at)));
    item.append(element('p', { class: 'bubble' }, entry.text));
    return item;
  }

  #scrollToEnd() {
    const { log, newest } = this.#parts;
    log.scrollTop = log.scrollHeight;
    this.#follows = true;
    newest.hidden = true;
  }
}
