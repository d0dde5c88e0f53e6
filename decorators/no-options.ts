/**
 * For wrappers that take no options.
 *
 * @throws {TypeError} when there are some.
 */
export function checkNoOptions(wrapper: string, given: object | undefined): undefined {
  const [name] = Object.keys(given ?? {});
  if (name !== undefined) throw new TypeError(`${wrapper}: there is no option ${name}; it takes none`);
  return undefined;
}
