import type { HttpSessionReader } from '../contracts/http-session-reader.js';
import type { Dependencies } from '../dependencies.js';
import type { UserSource } from '../identity/user-source.js';
import type { ChannelSessionOptions } from '../session/session-settings.js';
import type { Requirement } from '../wrapping/requirements.js';

/** The handler wants the channel session. */
export interface SessionRequirement extends Requirement {
  readonly kind: 'session';
  readonly options: ChannelSessionOptions;
}

/** The handler wants the channel identified. */
export interface IdentificationRequirement extends Requirement {
  readonly kind: 'identification';
  readonly wrapper: string;
  readonly sources: readonly UserSource[];
}

/** The handler is given a user without the channel's being identified for it. */
export interface UserRequirement extends Requirement {
  readonly kind: 'user';
  readonly wrapper: string;
  /** Where the user is looked for; `undefined` where it is whom the channel knows. */
  readonly source: UserSource | undefined;
}

/** The handler wants the web site's session. */
export interface HttpSessionRequirement extends Requirement {
  readonly kind: 'http-session';
  readonly wrapper: string;
  bind(dependencies: Dependencies): { readonly reader: HttpSessionReader };
}

/** The handler runs alone among those of its channel. */
export interface OrderingRequirement extends Requirement {
  readonly kind: 'ordering';
}

/** What wrappers of this package may need of a server. */
export type KnownRequirement =
  | SessionRequirement
  | IdentificationRequirement
  | UserRequirement
  | HttpSessionRequirement
  | OrderingRequirement;
