// Runs before each test file of a mutation run: says which mutant is switched on, and notes which ones the file reaches.
import { appendFileSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect } from 'vitest';

globalThis.mutation ??= { active: Number(readFileSync('active', 'utf8')), reached: new Set(), atLoad: new Set() };
const state = globalThis.mutation;
let isLoading = true;

globalThis.mutant = (id) => {
  (isLoading ? state.atLoad : state.reached).add(id);
  return id === state.active;
};
beforeAll(() => {
  isLoading = false;
});
afterAll(() => {
  const { reached, atLoad } = state;
  appendFileSync('reached', `${JSON.stringify({ test: expect.getState().testPath, reached: [...reached], atLoad: [...atLoad] })}\n`);
  reached.clear();
  atLoad.clear();
});
