import { describe, expect, it } from 'vitest';
import { ChannelServer, withChannelSession } from '../../../entries/index.js';
import { connectTo } from '../../../entries/testing.js';
import { makeSite, thrownBy } from '../../support/site.js';

const handler = (): void => {};
const serve = (handlers: unknown) => new ChannelServer(handlers as never);

/** An instance with `methods`, declared by its class and not its own. */
function instanceWith(...methods: readonly string[]): object {
  class Chat {}
  for (const name of methods) Object.defineProperty(Chat.prototype, name, { value: handler, writable: true, configurable: true });
  return new Chat();
}

const misspelt = [
  ['recieve', 'receive'],
  ['recive', 'receive'],
  ['Receive', 'receive'],
  ['dissconnect', 'disconnect'],
  ['disconect', 'disconnect'],
  ['Disconnect', 'disconnect'],
  ['conect', 'connect'],
  ['connnect', 'connect'],
  ['conncet', 'connect'],
  ['onConnect', 'connect'],
  ['onReceive', 'receive'],
  ['handleDisconnect', 'disconnect'],
] as const;

describe('a slot that is misspelt', () => {
  it.each(misspelt)('%s is an error in an object, which says what to write', (name, slot) => {
    const error = thrownBy(() => serve({ [slot === 'receive' ? 'connect' : 'receive']: handler, [name]: handler }));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toContain(`no slot ${name}`);
    expect(error.message).toMatch(new RegExp(`write ${slot}$`));
  });

  it.each(misspelt)('%s is an error in an instance and in a class', (name, slot) => {
    const other = slot === 'receive' ? 'connect' : 'receive';
    const instance = instanceWith(other, name);
    expect(thrownBy(() => serve(instance)).message).toMatch(new RegExp(`write ${slot}$`));
    expect(thrownBy(() => serve(instance.constructor)).message).toMatch(new RegExp(`write ${slot}$`));
  });

  it('is an error in a class that inherits it, and as a field', () => {
    class Base {
      recieve() {}
    }
    class Chat extends Base {
      connect() {}
    }
    class Fields {
      connect = handler;
      recieve = withChannelSession(handler);
    }
    for (const chat of [new Chat(), new Fields()]) expect(thrownBy(() => serve(chat))).toBeInstanceOf(TypeError);
  });
});

describe('a function of an object that no slot is named after', () => {
  it.each(['message', 'onMessage', 'open', 'close', 'error', 'join', 'upgrade'])('%s is an error', (name) => {
    for (const handlers of [
      { receive: handler, [name]: handler },
      Object.assign(Object.create(null), { receive: handler, [name]: handler }),
    ]) {
      expect(thrownBy(() => serve(handlers))).toBeInstanceOf(TypeError);
    }
  });

  it('is what it speaks of, where no slot is there at all', () => {
    expect(thrownBy(() => serve({ onMessage: handler })).message).toMatch(/no slot onMessage.*write receive$/);
  });
});

describe('what stands beside the slots and is no mistake', () => {
  it('is any other method of an instance, whatever it is called', () => {
    const others = ['join', 'connected', 'reconnect', 'close', 'message', 'open', 'constructor', 'receiveAll', 'collect'];
    expect(serve(instanceWith('connect', 'receive', 'disconnect', ...others, 'onConnect', 'recieve'))).toBeInstanceOf(ChannelServer);
    expect(serve(instanceWith('receive', ...others))).toBeInstanceOf(ChannelServer);
  });

  it('is none where a function is given in place of an object of them', () => {
    for (const handlers of [() => {}, async () => {}, (() => {}).bind(undefined)]) {
      expect(thrownBy(() => new ChannelServer(handlers as never)).message).toMatch(/^ChannelServer: handlers must be/);
    }
  });

  it('is a value that is no function, and what only a getter gives', () => {
    const handlers = {
      rooms: new Set<string>(),
      recieved: 0,
      receive: handler,
      get later(): never {
        throw new Error('a getter was called');
      },
    };
    expect(serve(handlers)).toBeInstanceOf(ChannelServer);
  });

  it('is another export of a module', async () => {
    expect(serve(await import('./handlers-module.js'))).toBeInstanceOf(ChannelServer);
  });
});

describe('a slot without a handler', () => {
  it('may be undefined', async () => {
    const none = undefined as (() => void) | undefined;
    const client = await connectTo(
      { connect: none, receive: (message) => message.channel.send('got it'), disconnect: none },
      makeSite().options,
    );
    await client.send('x');
    await client.disconnect();
    expect(client.sent).toEqual(['got it']);
    expect(thrownBy(() => serve({ connect: undefined, receive: undefined, disconnect: undefined }))).toBeInstanceOf(TypeError);
  });
});
