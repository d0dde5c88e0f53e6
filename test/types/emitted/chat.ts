import { type BaseMessage, compose, defineWrapper } from 'ws-with';

/** What wrappers did, in order. */
export const log: string[] = [];

export interface HasName {
  readonly name: string;
}

/** Adds a name, from the message itself, so that any object can play the message. */
export const withName = defineWrapper('withName', (message, next) => {
  log.push('withName');
  return next<HasName>({ name: message.channel.id });
});

/** Adds nothing. */
export const withLog = defineWrapper('withLog', (_message, next) => {
  log.push('withLog');
  return next();
});

export const withMark = defineWrapper(
  'withMark',
  (given: { readonly mark?: string } = {}) => ({ mark: given.mark ?? 'default' }),
  (_message, next, { mark }) => {
    log.push(mark);
    return next({ mark });
  },
);

/** A factory: its argument is required. */
export function withSuffix(suffix: string) {
  return defineWrapper('withSuffix', (message: BaseMessage & HasName, next) => next({ long: message.name + suffix }));
}

export const symbol: unique symbol = Symbol('method');

export class Chat {
  readonly room = 'lobby';
  readonly seen: string[] = [];

  @withName bare(message: BaseMessage & HasName) {
    this.seen.push(message.name);
    return `${this.room}: ${message.name}`;
  }

  @withName() async called(message: BaseMessage & HasName) {
    await Promise.resolve();
    return `${this.room}: ${message.name}`;
  }

  @withMark({ mark: 'given' }) withOptions(message: BaseMessage & { readonly mark: string }) {
    return [this.room, message.mark];
  }

  @withLog @withName stacked(message: BaseMessage & HasName, ...rest: readonly unknown[]) {
    return [this.room, message.name, ...rest];
  }

  @withMark({ mark: 'outer' }) @withMark() @withMark repeated(message: BaseMessage & { readonly mark: string }) {
    return message.mark;
  }

  @compose(withLog, withName, withSuffix('!')) composed(message: BaseMessage & HasName & { readonly long: string }) {
    return message.long;
  }

  @withName static ofClass(this: typeof Chat, message: BaseMessage & HasName) {
    // biome-ignore lint/complexity/noThisInStatic: it is `this` that is tested.
    return [this, message.name];
  }

  @withName [symbol](message: BaseMessage & HasName) {
    return message.name;
  }

  @withLog fails(_message: BaseMessage) {
    throw new Error('from the method');
  }

  readonly field = withName((message: BaseMessage & HasName) => `${this.room}: ${message.name}`);
}

export class LoudChat extends Chat {
  @withLog override bare(message: BaseMessage & HasName) {
    return `${super.bare(message)}!`;
  }
}
