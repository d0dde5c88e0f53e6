import { describe, expect, it } from 'vitest';
import { actionOn, type CloseAction } from '../../entries/client.js';
import { defaultOutcomes } from '../../src/outcomes.js';

const contract: readonly (readonly [code: number, reason: string, action: CloseAction])[] = [
  [3000, 'token expired', 'renew'],
  [3000, 'authentication required', 'renew'],
  [3000, 'token revoked', 'log-in'],
  [3000, 'user inactive', 'log-in'],
  [3000, 'session ended', 'log-in'],
  [3000, 'a reason of the application', 'log-in'],
  [3003, 'denied', 'stop'],
  [3003, 'origin refused', 'stop'],
  [3003, 'no acceptable subprotocol', 'stop'],
  [3008, 'connect took too long', 'backoff'],
  [1001, 'peer silent', 'backoff'],
  [1006, '', 'backoff'],
  [1008, 'rate limited', 'much-later'],
  [1008, 'too much input', 'stop'],
  [1009, '', 'stop'],
  [1011, 'internal error', 'later'],
  [1012, 'restarting', 'soon'],
  [1013, 'try again later', 'backoff'],
  [1013, 'too slow', 'backoff'],
  [1013, 'too many connections', 'backoff'],
  [1000, '', 'stop'],
  [4000, 'of the application', 'stop'],
  [4999, '', 'stop'],
  [4401, 'token expired', 'renew'],
  [4401, 'token revoked', 'log-in'],
  [4403, 'denied', 'stop'],
  [4408, 'connect took too long', 'backoff'],
];

describe('actionOn', () => {
  it.each(contract)('%i %j asks a client for %j', (code, reason, action) => {
    expect(actionOn({ code, reason })).toBe(action);
  });

  it('is asked here about everything that a server may end a channel with', () => {
    const told = (code: number, reason: string): string => `${code} ${reason}`;
    const known = new Set(contract.map(([code, reason]) => told(code, reason)));
    const missing = Object.values(defaultOutcomes).filter(({ closeCode, reason }) => !known.has(told(closeCode, reason)));
    expect(missing.map(({ closeCode, reason }) => told(closeCode, reason))).toEqual([]);
  });
});
