import { avatar, button, byId, dayOf, element, linked, time, unseen } from './elements.js';

const groupMs = 5 * 60 * 1000;
const nearEndPx = 80;

/** The room that is open: what was said, who is there, who is writing. */
export class Conversation {
  #parts = {
    name: byId('room-name'),
    about: byId('room-about'),
    log: byId('log'),
    list: byId('entries'),
    newest: byId('newest'),
    people: byId('people'),
    count: byId('people-count'),
    typing: byId('typing'),
  };
  #you;
  #outbox;
  #room;
  #onEdge;
  /** What is on the screen, by what it shows. */
  #nodes = new Map();
  /** Where the reader has left rooms, by room: which node was the first in sight, and its place; none where it was the end. */
  #places = new Map();
  #newestOfOthers;
  /** Those in the list. */
  #people;
  /** Whether the newest entry is kept in sight: so until the reader scrolls up. */
  follows = true;

  /** `onEdge` is called with `older` or `newer` where the reader has come to the end of what is here, and with `newest` where they ask for that. */
  constructor(onEdge) {
    const { log, newest } = this.#parts;
    this.#onEdge = onEdge;
    newest.addEventListener('click', () => {
      this.follow();
      log.focus();
    });
    log.addEventListener('scroll', () => this.#scrolled());
    // A phone's keyboard, a notice or a turned screen takes space from the log.
    new ResizeObserver(() => this.follows && this.#toEnd()).observe(log);
  }

  /** Whether the reader looks at what was said earlier. */
  looksBack(room) {
    return room === this.#room && !this.follows;
  }

  /** Shows all of a room, or of none, where the reader has left it. Screen readers are not made to read it out: only what comes afterwards is news. */
  show(room, you, outbox) {
    const { name, about, list } = this.#parts;
    if (room === this.#room) return;
    if (this.#room !== undefined) this.#places.set(this.#room.id, this.follows ? undefined : this.#place());
    this.#room = room;
    this.#you = you;
    this.#outbox = outbox;
    if (room === undefined) return;
    const place = this.#places.get(room.id);
    this.follows = place === undefined;
    name.textContent = room.name;
    about.textContent = room.about;
    list.replaceChildren();
    this.update();
    this.#restore(place);
  }

  /** Brings the screen up to what the room is now; the reader's place stays. */
  update() {
    const { list, log, newest } = this.#parts;
    const place = this.follows ? undefined : this.#place();
    const nodes = this.#wanted();
    const isOlder = list.lastElementChild === nodes.at(-1) && firstEntry(list.children)?.dataset.entry !== firstEntry(nodes)?.dataset.entry;
    if (list.childElementCount === 0 || isOlder) {
      log.setAttribute('aria-live', 'off');
      requestAnimationFrame(() => log.setAttribute('aria-live', 'polite'));
    }
    const wanted = new Set(nodes);
    for (const node of [...list.children]) if (!wanted.has(node)) node.remove();
    let next = list.firstElementChild;
    for (const node of nodes) {
      if (node === next) next = next.nextElementSibling;
      else list.insertBefore(node, next);
    }
    const newestOfOthers = nodes.findLast(({ dataset }) => dataset.news === 'true');
    if (this.follows) this.#toEnd();
    else {
      this.#restore(place);
      if (!isOlder && newestOfOthers !== this.#newestOfOthers) newest.hidden = false;
    }
    if (this.#room.isDetached) newest.hidden = false;
    this.#newestOfOthers = newestOfOthers;
    this.#showPeople();
    this.#showTyping();
  }

  /** Goes to the newest, as where one has written oneself. */
  follow() {
    if (this.#room.isDetached) this.#onEdge('newest');
    this.follows = true;
    this.#toEnd();
  }

  /** The nodes of all entries, and of what is not sent yet, as they are now: those that look as before are the same. */
  #wanted() {
    const known = this.#nodes;
    this.#nodes = new Map();
    let previous;
    const nodes = [];
    const put = (key, make, id = key) => {
      const node = known.get(key) ?? make();
      node.dataset.entry = id;
      this.#nodes.set(key, node);
      nodes.push(node);
    };
    const mine = this.#outbox.in(this.#room.id).map((message) => ({ ...message, from: this.#you }));
    const entries = [...this.#room.entries, ...mine.filter(({ id }) => !this.#room.entries.some((entry) => entry.id === id))];
    for (const entry of entries) {
      const day = dayOf(entry.at);
      if (previous === undefined || dayOf(previous.at) !== day)
        put(`day ${day}`, () => element('li', { class: 'day row fine' }, element('span', {}, day)));
      const goesOn =
        previous?.from?.id === (entry.from?.id ?? '') &&
        dayOf(previous.at) === day &&
        Date.parse(entry.at) - Date.parse(previous.at) < groupMs;
      put(`${this.#room.id} ${entry.id} ${entry.from?.id} ${goesOn} ${entry.state}`, () => this.#node(entry, goesOn), entry.id);
      previous = entry;
    }
    if (nodes.length === 0 && this.#room.last === 0)
      put('nothing', () => element('li', { class: 'notice fine' }, 'Nobody has said anything yet.'));
    return nodes;
  }

  #node(entry, goesOn) {
    // who comes and goes, and what one writes oneself, is not read out
    if (entry.notice !== undefined) {
      const who = entry.who === undefined ? [] : [element('bdi', {}, entry.who), ' '];
      return element('li', { class: 'notice fine', 'aria-live': 'off' }, ...who, entry.notice, ' ', time(entry.at));
    }
    const mine = entry.from.id === this.#you.id;
    const { state } = entry;
    const item = element('li', { class: `message${mine ? ' mine' : ''}${goesOn ? ' goes-on' : ''}${state ? ` ${state}` : ''}` });
    if (mine) item.setAttribute('aria-live', 'off');
    else item.dataset.news = 'true';
    const author = element('span', { class: 'author name', dir: 'auto' }, mine ? 'You' : entry.from.name);
    if (goesOn) item.append(unseen(`${author.textContent}: `));
    else item.append(avatar(entry.from), element('p', { class: 'by row' }, author, ' ', time(entry.at)));
    item.append(element('p', { class: 'bubble', dir: 'auto' }, ...linked(entry.text)));
    if (state === 'pending') item.append(element('p', { class: 'sending fine' }, 'Sending…'));
    if (state === 'failed') {
      const act = (done) => () => {
        done();
        this.#parts.log.focus();
      };
      const again = button(
        'Send again',
        act(() => this.#outbox.sendAgain(entry.id)),
      );
      const drop = button(
        'Discard',
        act(() => this.#outbox.remove(entry.id)),
        { class: 'quiet' },
      );
      item.append(element('p', { class: 'sending fine', role: 'alert' }, 'Not sent. ', again, ' ', drop));
    }
    return item;
  }

  #showPeople() {
    if (this.#people === this.#room.people) return;
    this.#people = this.#room.people;
    const people = [...this.#room.people.values()].sort((a, b) => a.name.localeCompare(b.name));
    this.#parts.count.textContent = people.length === 1 ? '1 person here' : `${people.length} people here`;
    this.#parts.people.replaceChildren(
      ...people.map((person) => {
        const marks = [];
        if (person.id === this.#you.id) marks.push(element('span', { class: 'mark' }, 'you'));
        if (person.staff) marks.push(element('span', { class: 'mark' }, 'staff'));
        return element(
          'li',
          { class: 'row' },
          avatar(person),
          element('span', { class: 'name', dir: 'auto', title: person.name }, person.name),
          ...marks,
        );
      }),
    );
  }

  #showTyping() {
    const [first, second, third] = [...this.#room.typing.values()].map(({ name }) => element('bdi', {}, name));
    let text = [];
    if (third !== undefined) text = ['Several people are typing…'];
    else if (second !== undefined) text = [first, ' and ', second, ' are typing…'];
    else if (first !== undefined) text = [first, ' is typing…'];
    this.#parts.typing.replaceChildren(...text);
  }

  #scrolled() {
    const { scrollHeight, scrollTop, clientHeight } = this.#parts.log;
    const toEndPx = scrollHeight - scrollTop - clientHeight;
    if (this.#room === undefined) return;
    this.follows = toEndPx < nearEndPx && !this.#room.isDetached;
    if (this.follows) this.#parts.newest.hidden = true;
    if (scrollTop < nearEndPx && this.#room.hasOlder) this.#onEdge('older');
    else if (toEndPx < nearEndPx && this.#room.isDetached) this.#onEdge('newer');
  }

  #place() {
    const { list, log } = this.#parts;
    const isInSight = ({ offsetTop, offsetHeight }) => offsetTop + offsetHeight > log.scrollTop;
    const node = firstEntry([...list.children].filter(isInSight));
    return node && { entry: node.dataset.entry, fromTop: node.offsetTop - log.scrollTop };
  }

  #restore(place) {
    // a node may have been made anew
    const node = place && [...this.#parts.list.children].find(({ dataset }) => dataset.entry === place.entry);
    if (node !== undefined) this.#parts.log.scrollTop = node.offsetTop - place.fromTop;
  }

  #toEnd() {
    this.#parts.log.scrollTop = this.#parts.log.scrollHeight;
    this.#parts.newest.hidden = true;
  }
}

/** The first that is no day. */
function firstEntry(nodes) {
  return [...nodes].find(({ classList }) => !classList.contains('day'));
}
