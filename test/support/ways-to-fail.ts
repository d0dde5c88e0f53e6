/** How something that is asked may fail: in words, and as a function that does so. */
export const waysToFail: readonly [how: string, fail: () => never | Promise<never>][] = [
  ['rejects', () => Promise.reject(new Error('down'))],
  [
    'throws at once',
    () => {
      throw new Error('down');
    },
  ],
];
