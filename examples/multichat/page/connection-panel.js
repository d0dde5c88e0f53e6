import { byId, element, moment } from './elements.js';

const recognizedBy = { token: 'a token, in the cookie “key”', 'http-session': 'the session of this site' };

/** The dialog that tells how this page is connected. */
export class ConnectionPanel {
  #dialog = byId('connection');
  #facts = this.#dialog.querySelector('dl');
  #connection;
  #state;
  #lastClosing;

  open() {
    this.#dialog.showModal();
    this.#show();
  }

  close() {
    this.#dialog.close();
  }

  /** What the server says of the connection. */
  setConnection(connection) {
    this.#connection = connection;
    this.#show();
  }

  setState(text) {
    this.#state = text;
    this.#show();
  }

  closed(closing) {
    this.#lastClosing = { ...closing, at: new Date().toISOString() };
    this.#show();
  }

  #show() {
    if (!this.#dialog.open) return;
    const { by, until, node } = this.#connection ?? {};
    const last = this.#lastClosing;
    const closed =
      last === undefined
        ? ['none since this page was opened']
        : [`${last.code} ${last.reason || '(no reason: the line broke)'}, `, moment(last.at)];
    const facts = [
      ['Now', [this.#state ?? '']],
      ['You are recognized by', [recognizedBy[by] ?? by ?? 'nothing yet']],
      ['Until', [until === undefined ? 'your log-in ends' : moment(until)]],
      ['Connected to', [node ?? '']],
      ['Last close', closed],
    ];
    const rows = facts.map(([term, value]) => element('div', {}, element('dt', {}, term), element('dd', {}, ...[value].flat())));
    this.#facts.replaceChildren(...rows);
  }
}
