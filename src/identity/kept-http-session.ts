import type { HttpSession } from '../contracts/http-session-reader.js';

/** An HTTP session that has no id, and so cannot be read again: each message sees it as it was at connect. */
export class KeptHttpSession {
  readonly #session: HttpSession;
  #data: Record<string, unknown>;

  /** Copies the data, before a handler changes them. */
  constructor(session: HttpSession) {
    this.#session = session;
    this.#data = structuredClone(session.data);
  }

  /** The session for one message: what a handler changes in it is seen by others once it is saved. */
  view(): HttpSession {
    const session = this.#session;
    const view: HttpSession = {
      id: undefined,
      userId: session.userId,
      data: structuredClone(this.#data),
      save: async () => {
        const { data } = session;
        session.data = view.data;
        try {
          await session.save();
        } catch (error) {
          session.data = data;
          throw error;
        }
        this.#data = structuredClone(view.data);
      },
    };
    return view;
  }
}
