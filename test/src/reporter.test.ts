import { describe, expect, it, vi } from 'vitest';
import { TestClock } from '../../entries/testing.js';
import { ChannelError } from '../../src/errors.js';
import { Reporter } from '../../src/reporter.js';

const warning = (): ChannelError => new ChannelError('ERR_ORIGIN_REFUSED', 'refused');

describe('a reporter', () => {
  it('tells the application, with the message at hand', () => {
    const onError = vi.fn();
    const onWarning = vi.fn();
    const reporter = new Reporter({ onError, onWarning }, new TestClock());
    const error = new Error('one');
    const message = { kind: 'receive' };
    reporter.error(error, message);
    for (let round = 0; round < 3; round += 1) reporter.warn(warning());
    expect(onError.mock.calls).toEqual([[error, message]]);
    expect(onWarning).toHaveBeenCalledTimes(3);
  });

  it('survives an application that throws or rejects when it is told', async () => {
    const boom = () => {
      throw new Error('from the reporter');
    };
    const late = (): never => {
      throw Promise.reject(new Error('in a promise that was thrown'));
    };
    for (const report of [boom, (async () => boom()) as () => never, late]) {
      const reporter = new Reporter({ onError: report, onWarning: report }, new TestClock());
      expect(() => reporter.error(new Error('one'))).not.toThrow();
      expect(() => reporter.warn(warning())).not.toThrow();
    }
    await new Promise((resolve) => setImmediate(resolve));
  });

  it('writes errors to console.error by default: code, message, stack and causes, and no other member', () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    const reporter = new Reporter({}, new TestClock());
    const cause = Object.assign(new Error('the database is gone'), { connectionString: 'mongodb://ann:hunter2@db' });
    reporter.error(new ChannelError('ERR_LOOKUP_FAILED', 'a look-up failed', { cause }));
    reporter.error('a string that was thrown');
    reporter.error(null);
    const text = log.mock.calls.flat().join('\n');
    expect(text).toContain('[ERR_LOOKUP_FAILED]');
    expect(text).toContain('the database is gone');
    expect(text).toContain('reporter.test.ts');
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain('a string that was thrown');
    expect(log).toHaveBeenCalledTimes(3);
  });

  it('warns the process by default, each kind at most once a minute', async () => {
    const emit = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const clock = new TestClock();
    const reporter = new Reporter({}, clock);
    reporter.warn(warning());
    reporter.warn(warning());
    reporter.warn(new ChannelError('ERR_SLOW_CONSUMER', 'slow'));
    expect(emit).toHaveBeenCalledTimes(2);
    await clock.advance(59_999);
    reporter.warn(warning());
    expect(emit).toHaveBeenCalledTimes(2);
    await clock.advance(1);
    reporter.warn(warning());
    expect(emit).toHaveBeenCalledTimes(3);
    expect(emit.mock.calls[0]?.[1]).toMatchObject({ code: 'ERR_ORIGIN_REFUSED' });
  });
});
