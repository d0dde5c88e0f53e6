import { button, byId, element, moment } from './elements.js';

/** The dialog with the devices that one is logged in on. */
export class Devices {
  #dialog = byId('devices');
  #list = this.#dialog.querySelector('ul');
  #problem = this.#dialog.querySelector('[role="alert"]');

  async open() {
    this.#list.replaceChildren();
    this.#problem.textContent = '';
    this.#dialog.showModal();
    await this.#show();
  }

  async #show() {
    const answer = await fetch('/devices', { cache: 'no-store' }).catch(() => undefined);
    if (!answer?.ok) this.#problem.textContent = 'Your devices cannot be shown just now.';
    else this.#list.replaceChildren(...(await answer.json()).map((device) => this.#row(device)));
  }

  #row({ id, device, createdAt, lastUsedAt, isThis }) {
    const used = lastUsedAt === undefined ? [] : [', last used ', moment(lastUsedAt)];
    const about = element('div', {}, element('b', {}, device), element('p', { class: 'fine' }, 'Since ', moment(createdAt), ...used));
    const way = isThis
      ? element('span', { class: 'mark' }, 'this device')
      : button('Log out', () => void this.#end(id), { 'aria-label': `Log out ${device}` });
    return element('li', { class: 'row' }, about, way);
  }

  async #end(id) {
    const answer = await fetch('/devices/end', { method: 'POST', body: new URLSearchParams({ id }) }).catch(() => undefined);
    // 404: it has ended by itself
    this.#problem.textContent = answer?.ok || answer?.status === 404 ? '' : 'That did not work. Please try again.';
    this.#dialog.querySelector('h2').focus();
    await this.#show();
  }
}
