import { button, byId, element, unseen } from './elements.js';

/** The rooms to choose from. Buttons are kept from one showing to the next, so that the focus stays where it is. */
export class RoomList {
  #list = byId('rooms');
  #onChoose;
  #items = new Map();

  constructor(onChoose) {
    this.#onChoose = onChoose;
  }

  show(rooms, openId) {
    for (const room of rooms) {
      const item = this.#items.get(room.id) ?? this.#add(room);
      const isOpen = room.id === openId;
      item.choice.classList.toggle('joined', room.joined);
      mark(item.choice, isOpen);
      item.side.replaceChildren(...sideOf(room, isOpen ? 0 : room.unread));
    }
  }

  focus(id) {
    this.#items.get(id)?.choice.focus();
  }

  #add(room) {
    const sign = element('span', { class: room.staffOnly ? 'sign lock' : 'sign', 'aria-hidden': 'true' }, room.staffOnly ? '' : '#');
    const side = element('span', { class: 'side' });
    const staffOnly = room.staffOnly ? [unseen('(staff only)')] : [];
    const choice = button(sign, () => this.#onChoose(room.id), { class: 'row' });
    choice.append(element('span', { class: 'name' }, room.name), ...staffOnly, side);
    this.#list.append(element('li', {}, choice));
    this.#items.set(room.id, { choice, side });
    return { choice, side };
  }
}

function mark(choice, isOpen) {
  if (isOpen === choice.hasAttribute('aria-current')) return;
  choice.toggleAttribute('aria-current', isOpen);
  if (!isOpen) return;
  choice.setAttribute('aria-current', 'true');
  // On a phone the rooms are a row that scrolls.
  choice.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}

function sideOf(room, unread) {
  if (!room.joined) return [element('span', { class: 'join' }, 'Join')];
  if (unread === 0) return [unseen('joined')];
  return [element('span', { class: 'badge' }, unread > 99 ? '99+' : String(unread), unseen(' unread'))];
}
