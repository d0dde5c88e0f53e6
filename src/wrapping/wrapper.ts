/**
 * The types of wrappers: the call shapes that one exported value serves, what each of them infers, and the texts that the compiler
 * shows where a wrapper cannot stand. What these types promise at run time is kept in `call-shapes.ts`, `define-wrapper.ts` and
 * `compose.ts`.
 *
 * Every type here that a wrapper's own type names is exported by the package: declarations that the compiler writes for an
 * application refer to them.
 */
import type { BaseMessage, ConnectMessage, DisconnectMessage, ReceiveMessage } from '../messages.js';

/**
 * A function that handles a message of type `M`, called with further arguments `Args` and with `this` as `This`.
 *
 * It is a function type and not a method: a method's parameters are compared both ways, and a handler that asks for more than it is
 * given would compile.
 */
export type Handler<M = BaseMessage, Args extends readonly unknown[] = [], Result = unknown, This = unknown> = (
  this: This,
  message: M,
  ...args: Args
) => Result;

/** No members: what a wrapper adds that adds nothing. Intersected with another type it leaves that as it is. */
export type None = {};

declare const adds: unique symbol;
declare const needs: unique symbol;
declare const mismatch: unique symbol;
declare const noOptions: unique symbol;
declare const passed: unique symbol;

// ---- What a wrapper gives and what is left to ask for ----

/** What a wrapper adds and needs, for the compiler alone: neither member exists at run time. */
export interface WrapperTag<Adds, Needs> {
  readonly [adds]?: Adds | undefined;
  readonly [needs]?: Needs | undefined;
}

/** What the compiler names where a handler asks for a member of another type than its wrapper gives. */
export interface Mismatch<Text extends string> {
  readonly [mismatch]: Text;
}

/** The names of the members of which `Given` has another type than `M` asks for. */
export type Clash<M, Given> = { [Key in keyof M & keyof Given]: Given[Key] extends M[Key] ? never : Key }[keyof M & keyof Given];

/** The names of the members of which `Given` has what `M` asks for. */
export type Met<M, Given> = { [Key in keyof M & keyof Given]: Given[Key] extends M[Key] ? Key : never }[keyof M & keyof Given];

/** The names of the members that a wrapper narrows, since it needs and adds them, and that `M` asks to be more than it makes of them. */
type Narrowed<M, Adds, Needs> = Exclude<keyof M & keyof Adds & keyof Needs, Met<M, Adds & Needs>>;

/**
 * What is left of `M`, with the members `Names` as they may be before the wrapper narrows them: what it lets through, or what it keeps out.
 */
type BeforeNarrowing<M, Names extends PropertyKey, Adds, Needs> = Omit<M, Names | Met<M, Adds & Needs>> & {
  // `Names` comes last for TypeScript 5.4, which takes no intersection for keys that begins with it
  readonly [Name in keyof M & keyof Adds & keyof Needs & Names]: M[Name] | Exclude<Needs[Name], Adds[Name]>;
};

/**
 * What a handler of `M` still asks for once a wrapper stands around it: `M` less what the wrapper adds, and `M` itself where they have
 * nothing in common. A member that the wrapper adds with another type than `M` asks for is a {@link Mismatch}: subtracting by name
 * alone would let a handler of the authenticated user pass where any user may come. A member that the wrapper also needs is
 * narrowed by it, not replaced: where `M` asks for more than the wrapper knows of it (its own user, say), that stays to be asked for.
 */
export type Without<M, Adds, Needs = None> = M extends unknown
  ? keyof M & (keyof Adds | keyof Needs) extends never
    ? M
    : [Clash<M, Omit<Adds, keyof Needs>>] extends [never]
      ? keyof M extends Met<M, Adds & Needs>
        ? None
        : [Narrowed<M, Adds, Needs>] extends [never]
          ? [Met<M, Adds & Needs>] extends [never]
            ? M
            : Omit<M, Met<M, Adds & Needs>>
          : BeforeNarrowing<M, Narrowed<M, Adds, Needs>, Adds, Needs>
      : Mismatch<`message.${Clash<M, Omit<Adds, keyof Needs>> & string}: the handler asks for another type than this wrapper gives`>
  : never;

/**
 * `Needs`, but where it is a kind of message less one member, which every message has. Or what it is called for were identical with it, and
 * the compiler would infer nothing from that: parts of `dispatchOn` under such a wrapper would not see what it adds.
 */
export type Asked<Needs> = Needs extends BaseMessage ? Omit<Needs, 'signal'> : Needs;

// ---- The call shapes ----

/**
 * Never matches. Being the first overload, it is the one whose result the compiler goes on with after a call that fails, so that no
 * second error follows: a decorator may return `void`, and the result of a call with mistyped options can be called. It also makes
 * TypeScript 5 and 6 report the last overload only, as 7 does.
 */
export interface NoCall<Adds extends object, Needs extends object> {
  (method: never, context: never): Wrapper<Adds, Needs> & void;
}

/** `withX(handler)`: the handler wrapped. */
export interface HandlerCall<Adds extends object, Needs extends object> {
  // `M` has a default and no constraint: with a constraint, inference falls back to it and loses the members that were added.
  // `notADecorator` keeps decorators out, which are tried against every overload that has as many parameters as they have arguments.
  <M = BaseMessage, Args extends readonly unknown[] = [], Result = unknown, This = unknown>(
    handler: Handler<M & Needs & Adds, Args, Result, This>,
    notADecorator?: undefined,
  ): Handler<Asked<Needs> & Without<M, Adds, Needs>, Args, Result | Promise<Awaited<Result>>, This>;
}

/** `withX()` and `withX(options)`: the wrapper with these options. */
export interface OptionsCall<Options extends object, Adds extends object, Needs extends object> {
  (options?: Options, notADecorator?: undefined): Wrapper<Adds, Needs>;
}

/** A message of whatever kind a decorated method asks for. `never` is assignable to each kind, and to what each has for a request. */
export interface MessageOfAnyKind
  extends Omit<ConnectMessage, 'kind' | 'request'>,
    Omit<ReceiveMessage, 'kind' | 'request'>,
    Omit<DisconnectMessage, 'kind' | 'request'> {
  readonly kind: never;
  readonly request: never;
}

/** What the compiler names where a decorator cannot stand alone. */
export interface DecoratorError<Text extends string> {
  (error: Text): never;
  readonly decoratorError: Text;
}

/**
 * What a method under the decorator `@withX` may be: its message asks for no more than that one wrapper adds. The compiler shows
 * every decorator of a stack the same declared method, so a wrapper that needs another one must be composed with it.
 */
export type DecoratedMethod<Adds, Needs> = MessageOfAnyKind extends Needs
  ? // With `never` in the place of `any`, the compiler would compare no parameter at all.
    (this: any, message: keyof Adds extends never ? never : MessageOfAnyKind & Adds, ...args: any) => unknown
  : DecoratorError<`needs message.${keyof Needs & string}: write @compose(the wrapper that adds it, this one)`>;

/** A property descriptor that holds a method. `TypedPropertyDescriptor` would be invariant, and accept that one method only. */
export interface MethodDescriptor<Method> {
  readonly value?: Method;
}

/** `@withX method(message) {}`, as a standard decorator and as one of `experimentalDecorators`. */
export interface DecoratorCall<Adds extends object, Needs extends object> {
  (method: DecoratedMethod<Adds, Needs>, context: ClassMethodDecoratorContext<never>): void;
  (target: object, key: string | symbol, descriptor: MethodDescriptor<DecoratedMethod<Adds, Needs>>): void;
}

/**
 * All call shapes of a wrapper; `Call` is its call with options. Their order is that of the overloads and decides which of them the
 * compiler's messages speak of.
 */
export type CallShapes<Adds extends object, Needs extends object, Call = unknown> = WrapperTag<Adds, Needs> &
  NoCall<Adds, Needs> &
  HandlerCall<Adds, Needs> &
  Call &
  DecoratorCall<Adds, Needs>;

/** Runs a handler with `Adds` on its message, and asks whoever calls it for a message with `Needs`. */
export interface Wrapper<Adds extends object = None, Needs extends object = None> extends CallShapes<Adds, Needs> {}

/** A {@link Wrapper} that may be called with `Options` first; without them, every option has its default. */
export interface Configurable<Options extends object, Adds extends object = None, Needs extends object = None>
  extends CallShapes<Adds, Needs, OptionsCall<Options, Adds, Needs>> {}

/** A wrapper that must be given `Options` first: neither `withX(handler)` nor `withX()` nor `@withX` compiles. */
export interface Configured<Options extends object, Adds extends object = None, Needs extends object = None> {
  (options: Options, notADecorator?: undefined): Wrapper<Adds, Needs>;
}

/** The options of a wrapper that has none. Not `{}`: a message is assignable to that, and `receive: withX` would compile. */
export interface NoOptions {
  readonly [noOptions]?: never;
}

// ---- Composition ----

/** What wrapper `W` adds to the message; of one that a setting chooses, what both add. */
export type AddsOf<W> = [W] extends [WrapperTag<infer Adds, unknown>] ? Adds : None; // not one by one, so that the common supertype is inferred

/** What wrapper `W` asks the message to have already. */
export type NeedsOf<W> = W extends WrapperTag<unknown, infer Needs> ? Needs : None;

/** What the wrappers `Ws` add together. */
export type AllAdds<Ws extends readonly unknown[], Sum extends object = None> = Ws extends readonly [infer W, ...infer Rest]
  ? AllAdds<Rest, Sum & AddsOf<W>>
  : Sum;

/** What the wrappers `Ws`, outermost first, need together: the needs of each less what those before it add. */
export type AllNeeds<Ws extends readonly unknown[]> = Folded<Ws>['needs'];

/** What the compiler names where an argument of `compose` cannot stand. */
export interface ComposeError<Text extends string> {
  readonly composeError: Text;
}

/** The names of the members that `W` needs, that nothing before it adds and something after it does. */
type TooEarly<W, Rest extends readonly unknown[], Have> = Exclude<keyof NeedsOf<W> & keyof AllAdds<Rest>, keyof Have> & string;

/** `unknown` where `W` may stand after wrappers that add `Have` and before the wrappers `Rest`, else the reason why not. */
type CheckOne<W, Rest extends readonly unknown[], Have> =
  W extends WrapperTag<unknown, unknown>
    ? [TooEarly<W, Rest, Have>] extends [never]
      ? [Clash<NeedsOf<W>, Have>] extends [never]
        ? [Clash<Have, Omit<AddsOf<W>, keyof NeedsOf<W>>>] extends [never]
          ? unknown
          : ComposeError<`changes message.${Clash<Have, AddsOf<W>> & string}, which an earlier wrapper gave another type`>
        : ComposeError<`needs another type of message.${Clash<NeedsOf<W>, Have> & string} than the earlier wrappers give`>
      : ComposeError<`needs message.${TooEarly<W, Rest, Have>}, which only a later wrapper adds`>
    : ComposeError<'not a wrapper: call the factory first, as in withX(…)'>;

/**
 * Whether it is `unknown` and not `any`: while the compiler infers them, the types of generic calls such as `withUserFromToken({ tokens })`
 * are.
 */
type IsUnknown<W> = unknown extends W ? ([keyof W] extends [never] ? true : false) : false;

/**
 * The wrappers `Ws`, outermost first, gone through once, as far as they are known: what they need together, and whether each may stand
 * where it stands.
 */
type Folded<
  Ws extends readonly unknown[],
  Have = None,
  Needs extends object = None,
  Checked extends readonly unknown[] = [],
> = Ws extends readonly [infer W, ...infer Rest]
  ? IsUnknown<W> extends true
    ? { readonly needs: Needs; readonly checked: [...Checked, CheckOne<W, Rest, Have>, ...Rest] }
    : Folded<Rest, Have & AddsOf<W>, Needs & Without<NeedsOf<W>, Have>, [...Checked, CheckOne<W, Rest, Have>]>
  : { readonly needs: Needs; readonly checked: Checked };

/** The arguments of `compose`; each that cannot stand where it stands is intersected with the reason, a {@link ComposeError}. */
export type Composable<Ws extends readonly unknown[]> = {
  readonly [Index in keyof Ws]: Ws[Index] & Folded<Ws>['checked'][Index & keyof Folded<Ws>['checked']];
};

// ---- Wrappers of one's own ----

/** What `next` returns and a wrapper hands back: the handler's result, or a promise of it. Opaque, so that only `next` makes one. */
export interface Passed<Adds> {
  readonly [passed]: Adds;
}

/** Sets the members of `added` on the message and runs the handler. */
export interface Next {
  (): Passed<None>;
  <Adds extends object>(added: Adds): Passed<Adds>;
}

/** What an {@link Around} returns: what `next` returned, or a promise of it. */
export type ReturnOfNext = Passed<object> | Promise<Passed<object>>;

/**
 * What a wrapper does around its handler: it returns what `next` returned, or a promise of it, and throws to refuse. `Needs` comes
 * from the annotation of `message`, what the wrapper adds from what `next` is given, `Options` from `prepare`.
 */
export type Around<Needs extends object, Result extends ReturnOfNext, Options = undefined> = (
  message: BaseMessage & Needs,
  next: Next,
  options: Options,
) => Result;

type AddsOfPassed<P> = P extends Passed<infer Adds> ? Adds : never;
type IsUnion<T, All = T> = T extends unknown ? ([All] extends [T] ? false : true) : never;
type Common<U, Key extends PropertyKey = keyof U> = { readonly [Name in Key]: U[Name & keyof U] };

/** What an {@link Around} adds whichever way it takes: where it calls `next` in several places, the members they have in common. */
export type PassedOn<Result> = (
  true extends IsUnion<AddsOfPassed<Awaited<Result>>>
    ? Common<AddsOfPassed<Awaited<Result>>>
    : AddsOfPassed<Awaited<Result>>
) extends infer Adds extends object
  ? Adds
  : None;
