import { expect, it } from 'vitest';
import { withChannelSession, withUserFromToken } from '../../../entries/index.js';
import { MemorySessionStore } from '../../../entries/memory.js';
import { deferred } from '../../support/deferred.js';
import { modes, oneToken, serve } from '../../support/serving.js';
import { codesOf } from '../../support/site.js';
import { storeWith } from '../../support/store-with.js';
import { WsClient } from '../../support/ws-client.js';

it.each(modes)('a reload() that hangs in connect is a load that hangs, and no fault of the handler (%s)', async (mode) => {
  const { tokens, cookie } = await oneToken();
  const kept = new MemorySessionStore();
  const reloading = deferred();
  let loads = 0;
  const store = storeWith(kept, {
    load: (id) => {
      loads += 1;
      if (loads === 1) return kept.load(id);
      reloading.resolve();
      return new Promise(() => undefined);
    },
  });
  const connect = withUserFromToken({ tokens })(withChannelSession(({ channelSession }) => channelSession.reload()));
  const { port, clock, errors } = await serve({ connect }, { mode, session: { store, scope: 'client' } });
  const connecting = WsClient.connect(port, { cookie });
  await reloading.promise;
  await clock.advance(5_000);
  const client = await connecting;
  if (mode === 'accept') expect(await client.closed()).toEqual({ code: 1013, reason: 'try again later' });
  else expect(client.refused?.status).toBe(503);
  expect(codesOf(errors)).toEqual(['ERR_SESSION_LOAD_FAILED']);
});
