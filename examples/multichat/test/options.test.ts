import { describe, expect, it } from 'vitest';
import { readOptions, usage } from '../src/options.js';

describe('options', () => {
  it('are tokens on port 8080 of this machine unless something else is asked for', () => {
    expect(readOptions([], {})).toEqual({ auth: 'token', host: '127.0.0.1', port: 8080, publicOrigin: undefined, mongodbUrl: undefined });
  });

  it('come from the command line and the environment', () => {
    const environment = { HOST: '::1', PORT: '0', PUBLIC_ORIGIN: 'https://chat.example.com/' };
    expect(readOptions(['--auth=session'], environment)).toEqual({
      auth: 'session',
      host: '::1',
      port: 0,
      publicOrigin: 'https://chat.example.com',
      mongodbUrl: undefined,
    });
    expect(readOptions([], { MONGODB_URL: 'mongodb://127.0.0.1/chat' })).toMatchObject({ mongodbUrl: 'mongodb://127.0.0.1/chat' });
  });

  it.each([
    [['--auth=magic'], {}],
    [['--aut=token'], {}],
    [[], { PORT: '80a' }],
    [[], { PORT: '70000' }],
    [[], { PORT: ' ' }],
    [[], { PORT: '1e3' }],
    [[], { PUBLIC_ORIGIN: 'chat.example.com' }],
    [[], { PUBLIC_ORIGIN: 'ftp://chat.example.com' }],
    [[], { MONGODB_URL: '127.0.0.1:27017' }],
  ])('%j with %j is a mistake that is named', (args, environment) => {
    expect(() => readOptions(args, environment)).toThrow(TypeError);
  });

  it('are listed where help is asked for', () => {
    for (const flag of ['--help', '-h']) expect(readOptions([flag], {})).toBe('help');
    for (const name of ['--auth', 'PORT', 'HOST', 'PUBLIC_ORIGIN', 'MONGODB_URL']) expect(usage).toContain(name);
  });

  it('show no password that an address may hold', () => {
    expect(() => readOptions([], { MONGODB_URL: 'postgres://ann:secret@127.0.0.1' })).toThrow(/^(?!.*secret)/);
  });
});
