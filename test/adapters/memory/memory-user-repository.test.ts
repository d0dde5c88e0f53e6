import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { MemoryUserRepository } from '../../../entries/memory.js';

const ada = { id: 'ada', isAuthenticated: true, isStaff: true } as const;
const bob = { id: 'bob', isAuthenticated: true, isStaff: false } as const;

describe('MemoryUserRepository', () => {
  it('takes any iterable, and gives out the very objects', async () => {
    for (const users of [[ada, bob], new Set([ada, bob]), new Map([['x', ada]]).values()]) {
      const repository = new MemoryUserRepository(users);
      const found = await repository.findById('ada');
      expect(found).toBe(ada);
      expect(found?.isStaff).toBe(true);
    }
    expect(await new MemoryUserRepository().findById('ada')).toBeUndefined();
  });

  it('replaces and deletes users', async () => {
    const repository = new MemoryUserRepository<{ id: string; isAuthenticated: true; isStaff: boolean }>([ada]);
    repository.set({ ...ada, isStaff: false });
    expect((await repository.findById('ada'))?.isStaff).toBe(false);
    expect([repository.delete('ada'), repository.delete('ada')]).toEqual([true, false]);
    expect(await repository.findById('ada')).toBeUndefined();
  });

  it.each([null, 5, {}])('refuses users that are not iterable: %s', (users) => {
    expect(() => new MemoryUserRepository(users as never)).toThrow(TypeError);
  });

  it.each([
    null,
    undefined,
    {},
    { id: '', isAuthenticated: true },
    { id: 7, isAuthenticated: true },
    { id: 'ada' },
    { id: null, isAuthenticated: false },
  ])('refuses what is no user: %s', (user) => {
    expect(() => new MemoryUserRepository([user as never])).toThrow(TypeError);
  });

  it('does not show its users when it is printed or serialized', () => {
    const repository = new MemoryUserRepository([ada]);
    expect(inspect(repository, { showHidden: true }) + JSON.stringify(repository)).not.toContain('ada');
  });
});
