import { describe, expect, it } from 'vitest';
import { HeardNumbers, SentNumbers } from '../../../src/feeds/broadcast-sequence.js';

describe('the numbers of what is heard', () => {
  it('let what comes in order pass, of each sender by itself', () => {
    const heard = new HeardNumbers();
    expect([heard.accept('a', 7, false), heard.accept('a', 8, false), heard.accept('b', 1, false), heard.accept('a', 9, false)]).toEqual([
      'next',
      'next',
      'next',
      'next',
    ]);
  });

  it('drop what comes twice or after a later one', () => {
    const heard = new HeardNumbers();
    heard.accept('a', 7, false);
    expect([heard.accept('a', 7, false), heard.accept('a', 6, false), heard.accept('a', 8, false)]).toEqual(['old', 'old', 'next']);
  });

  it('tell of a gap where one is missing, once', () => {
    const heard = new HeardNumbers();
    heard.accept('a', 1, false);
    expect([heard.accept('a', 3, false), heard.accept('a', 4, false), heard.accept('a', 2, false)]).toEqual(['gap', 'next', 'old']);
  });

  it('tell of a gap where an unknown sender says that something was lost', () => {
    const heard = new HeardNumbers();
    expect([heard.accept('a', 5, true), heard.accept('a', 6, true)]).toEqual(['gap', 'next']);
  });

  it('tell nothing of what is missing before a gap that everybody was told of, and drop what comes again all the same', () => {
    const heard = new HeardNumbers();
    heard.accept('a', 1, false);
    heard.toldOfGap();
    expect([heard.accept('a', 1, false), heard.accept('a', 5, false), heard.accept('a', 7, false)]).toEqual(['old', 'next', 'gap']);
    heard.toldOfGap();
    expect(heard.accept('a', 9, true)).toBe('gap');
  });

  it('tell of a loss after that gap though the first message since left before its sender knew of it, once', () => {
    const heard = new HeardNumbers();
    heard.accept('a', 1, false);
    heard.toldOfGap();
    const [overtook, ...later] = [heard.accept('a', 3, false), heard.accept('a', 4, true), heard.accept('a', 5, true)];
    expect([overtook, later]).toEqual(['next', ['gap', 'next']]);
  });

  it('tell of the same loss where nothing was heard of the sender before', () => {
    const heard = new HeardNumbers();
    const verdicts = [heard.accept('a', 2, false), heard.accept('a', 3, false), heard.accept('a', 4, true), heard.accept('a', 5, true)];
    expect(verdicts).toEqual(['next', 'next', 'gap', 'next']);
  });

  it('remember some thousand senders, those that were heard last, and no more', () => {
    const heard = new HeardNumbers();
    heard.accept('the first', 1, false);
    for (let count = 0; count < 9_000; count += 1) {
      heard.accept(`sender ${count}`, 1, false);
      if (count % 1_000 === 0) heard.accept('a faithful one', count + 1, false);
    }
    expect(heard.accept('a faithful one', 1, false)).toBe('old');
    expect(heard.accept('the first', 1, false)).toBe('next');
  });
});

describe('the numbers of what is sent', () => {
  it('count up, and belong to one sender', () => {
    const [one, other] = [new SentNumbers(), new SentNumbers()];
    expect([one.next(), one.next(), other.next()]).toEqual([1, 2, 1]);
    expect(one.sender).toMatch(/^[0-9a-f]{32}$/);
    expect(one.sender).not.toBe(other.sender);
  });

  it('tell of a loss until something that told of it has arrived', () => {
    const sent = new SentNumbers();
    const [lost, before] = [sent.next(), sent.next()];
    expect(lost).toBe(1);
    sent.failed();
    expect(sent.hasLoss).toBe(true);
    sent.arrived(before); // it had left before anybody knew
    expect(sent.hasLoss).toBe(true);
    sent.arrived(sent.next());
    expect(sent.hasLoss).toBe(false);
  });
});
