import { callShapes } from './call-shapes.js';
import { type AnyHandler, checkedWrapper, markFactories } from './made-function.js';
import type { AllAdds, AllNeeds, Composable, Wrapper } from './wrapper.js';

/**
 * Several wrappers as one: `compose(a, b)(handler)` is `a(b(handler))`, so the first one runs first. Use it also to put several wrappers
 * that add something on one method: `@compose(a, b)`.
 *
 * @throws {TypeError} when one of them is not a wrapper.
 */
export function compose<Ws extends readonly unknown[]>(...wrappers: Composable<Ws>): Wrapper<AllAdds<Ws>, AllNeeds<Ws>> {
  const list = [...wrappers].map((wrapper, index) => checkedWrapper(`compose: argument ${index + 1}`, wrapper));
  const name = `compose(${list.map((wrapper) => wrapper.name).join(', ')})`;
  const wrap = (handler: AnyHandler): AnyHandler => list.reduceRight((inner, wrapper) => wrapper(inner), handler);
  const shapes: unknown = callShapes(name, wrap, () => shapes);
  return shapes as Wrapper<AllAdds<Ws>, AllNeeds<Ws>>;
}

markFactories(compose);
