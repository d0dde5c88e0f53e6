import type { Revalidate } from '../src/identity/revalidation.js';
import type { HasChannelSession } from '../src/messages.js';
import type { HasUser } from '../src/users.js';
import type { HandlerCall, None, OptionsCall } from '../src/wrapping/wrapper.js';

/** The options that all wrappers of one source have. */
export interface IdentifyingOptions {
  /** How often live channels are looked up again. @default the server's `revalidate` */
  readonly revalidate?: Revalidate | undefined;
  /** When the source ends. Before that moment, its clients cause a warning; from then on what it finds counts as expired. @default never */
  readonly until?: Date | undefined;
  /** Of one wrapper alone, as are the others here: options that hold them are that wrapper's, and say whose user it is. */
  readonly tokens?: never;
  readonly from?: never;
  readonly sessions?: never;
  readonly users?: never;
}

/**
 * The calls that all wrappers of one source have, to the letter: of the choice between two of them
 * (`flag ? withUserFromToken : withUserFromHttp`) the compiler goes by what is identical in both.
 */
export interface UserCall
  extends HandlerCall<HasChannelSession & HasUser, None>,
    OptionsCall<IdentifyingOptions, HasChannelSession & HasUser, None> {}
