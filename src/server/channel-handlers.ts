import type { ConnectMessage, DisconnectMessage, ReceiveMessage } from '../messages.js';
import type { Clash } from '../wrapping/wrapper.js';

/** A handler as a slot takes it, with any return value and any `this`. */
export type SlotHandler<M> = (message: M) => unknown;

/** The handlers of a server. Properties and not methods, so that a missing member of the message is an error. */
export interface ChannelHandlers {
  /** Runs before the handshake is answered (`handleUpgrades`) or before anything is received (`accept`). A throw refuses. */
  readonly connect?: SlotHandler<ConnectMessage> | undefined;
  /** Runs for each message, one at a time and in order. A throw closes the channel with 1011. */
  readonly receive?: SlotHandler<ReceiveMessage> | undefined;
  /** Runs once and last, for channels whose connect succeeded. */
  readonly disconnect?: SlotHandler<DisconnectMessage> | undefined;
}

declare const brand: unique symbol;

/** A member declared as a method may be called with a parameter narrower than its own; that is how to tell it from a property. */
// biome-ignore lint/suspicious/noExplicitAny: the extra arguments play no part
type IsMethod<F, M> = ((message: M & { readonly [brand]: true }, ...args: any) => any) extends F ? true : false;

/** A method of a class may ask for what decorators add, since TypeScript cannot see their work. All else about it is checked. */
// biome-ignore lint/suspicious/noExplicitAny: any `this`
type MethodSlot<F, M> = F extends (this: any, message: infer Asked, ...args: never) => unknown
  ? IsMethod<F, Asked> extends true
    ? [Clash<NonNullable<Asked>, M>] extends [never]
      ? (message: never) => unknown
      : SlotHandler<M>
    : SlotHandler<M>
  : SlotHandler<M>;

interface Messages {
  connect: ConnectMessage;
  receive: ReceiveMessage;
  disconnect: DisconnectMessage;
}

/** What an instance must be to serve as handlers. */
export type InstanceHandlers<H> = keyof Messages & keyof H extends never
  ? never
  : { readonly [K in keyof Messages & keyof H]?: MethodSlot<Exclude<H[K], undefined>, Messages[K]> | undefined };

// biome-ignore lint/suspicious/noExplicitAny: a constructor of whatever arguments
type Constructor<Instance> = new (...args: any[]) => Instance;

/** Object literals are {@link ChannelHandlers} and nothing else; instances and classes are looked at method by method. */
export type ClassHandlers<H> =
  H extends Constructor<infer Instance>
    ? Constructor<InstanceHandlers<Instance>>
    : H extends Readonly<Record<string, unknown>>
      ? never
      : InstanceHandlers<H>;
