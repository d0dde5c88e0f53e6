import type { HttpSession } from 'ws-with';
import { MemoryHttpSessionReader } from 'ws-with/memory';
import type { HttpSessions } from './http-sessions.js';

/** The sessions of the site in this process, which also knows which of them are whose. */
export class MemoryHttpSessions extends MemoryHttpSessionReader implements HttpSessions {
  readonly #idsOf = new Map<string, Set<string>>();

  override create(userId: string | undefined, data?: Readonly<Record<string, unknown>>): string {
    const id = super.create(userId, data);
    if (userId === undefined) return id;
    const ids = this.#idsOf.get(userId) ?? new Set();
    this.#idsOf.set(userId, ids.add(id));
    return id;
  }

  async listOf(userId: string): Promise<readonly HttpSession[]> {
    const ids = this.#idsOf.get(userId) ?? new Set();
    const found = await this.readByIds([...ids]);
    for (const id of ids) if (!found.has(id)) ids.delete(id);
    return [...found.values()];
  }
}
