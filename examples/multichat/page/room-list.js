import { element, unseen } from './elements.js';

/** The rooms to choose from. Buttons are kept from one showing to the next, so that the focus stays where it is. */
export class RoomList {
  #list;
  #onChoose;
  #items = new Map();

  constructor(list, onChoose) {
    this.#list = list;
    this.#onChoose = onChoose;
  }

  show(rooms, openId) {
    for (const room of rooms) {
      const item = this.#items.get(room.id) ?? this.#add(room);
      const isOpen = room.id === openId;
      item.button.classList.toggle('joined', room.joined);
      this.#mark(item.button, isOpen);
      item.side.replaceChildren(...sideOf(room, isOpen ? 0 : room.unread));
    }
  }

  focus(id) {
    this.#items.get(id)?.button.focus();
  }

  #mark(button, isOpen) {
    if (isOpen === button.hasAttribute('aria-current')) return;
    button.toggleAttribute('aria-current', isOpen);
    if (!isOpen) return;
    button.setAttribute('aria-current', 'true');
    // On a phone the rooms are a row that scrolls.
    button.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  #add(room) {
    const sign = element('span', { class: room.staffOnly ? 'sign lock' : 'sign', 'aria-hidden': 'true' }, room.staffOnly ? '' : '#');
    const side = element('span', { class: 'side' });
    const staffOnly = room.staffOnly ? [unseen('(staff only)')] : [];
    const button = element('button', { type: 'button' }, sign, element('span', { class: 'name' }, room.name), ...staffOnly, side);
    button.addEventListener('click', () => this.#onChoose(room.id));
    this.#list.append(element('li', {}, button));
    const item = { button, side };
    this.#items.set(room.id, item);
    return item;
  }
}

function sideOf(room, unread) {
  if (!room.joined) return [element('span', { class: 'join' }, 'Join')];
  if (unread === 0) return [unseen('joined')];
  return [element('span', { class: 'badge' }, unread > 99 ? '99+' : String(unread), unseen(' unread'))];
}
