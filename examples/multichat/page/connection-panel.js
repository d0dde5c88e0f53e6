import { byId, element, moment } from './elements.js';

const recognizedBy = { token: 'a token, in the cookie “key”', 'http-session': 'the session of this site' };

/** The dialog that tells how this page is connected. */
export class ConnectionPanel {
  #dialog = byId('connection');
  #facts = {};

  open() {
    this.#dialog.showModal();
    this.update({});
  }

  /** Takes what is new: the `state` as a person is told it, the `connection` as the server tells it, how and when it was closed last. */
  update(news) {
    this.#facts = { ...this.#facts, ...news };
    if (!this.#dialog.open) return;
    const { state, connection, closing } = this.#facts;
    const { by, until, node = '' } = connection ?? {};
    const reason = closing?.reason || '(no reason: the line broke)';
    const rows = [
      ['Now', state],
      ['You are recognized by', recognizedBy[by] ?? by ?? 'nothing yet'],
      ['Until', until === undefined ? 'your log-in ends' : moment(until)],
      ['Connected to', node],
      ['Last close', closing === undefined ? 'none since this page was opened' : [`${closing.code} ${reason}, `, moment(closing.at)]],
    ].map(([term, value]) => element('div', {}, element('dt', {}, term), element('dd', {}, ...[value].flat())));
    this.#dialog.querySelector('dl').replaceChildren(...rows);
  }
}
