import { expect, it } from 'vitest';
import { withChannelUser, withUserFromToken } from '../../../entries/index.js';
import { MongoSessionStore } from '../../../entries/mongodb.js';
import { systemClock } from '../../../src/time/system-clock.js';
import { eventually } from '../../support/eventually.js';
import { oneToken, type Served, serve } from '../../support/serving.js';
import { codesOf } from '../../support/site.js';
import { WsClient } from '../../support/ws-client.js';
import { describeOnMongo, openDatabase } from './mongo.js';

const channelCount = 200;
const updatesOfEach = 5;

describeOnMongo('200 channels of one user on MongoDB, five updates each', () => {
  const nodes = [openDatabase(), openDatabase()];
  const { db } = openDatabase();

  it.each([1, 2])(
    'on %i servers close none, lose none, and cost at most 1.5 commands an update',
    async (serverCount) => {
      const { tokens, cookie } = await oneToken();
      const collection = `stormOn${serverCount}`;
      const options = { collection, timeoutMs: 20_000 }; // the machine may be busy
      const stores = nodes.slice(0, serverCount).map(({ client }) => new MongoSessionStore(client.db(db.databaseName), options));
      const servers: Served[] = [];
      for (const store of stores) {
        const handlers = {
          connect: withUserFromToken({ tokens })(() => undefined),
          receive: withChannelUser((message) => {
            message.channelSession.update('count', (count) => Number(count ?? 0) + 1);
            message.channel.send('done');
          }),
        };
        servers.push(await serve(handlers, { clock: systemClock, connectTimeoutMs: 60_000, session: { store, scope: 'user' } }));
      }
      const ports = Array.from({ length: channelCount }, (_, index) => servers[index % serverCount]!.port);
      const clients = await Promise.all(ports.map((port) => WsClient.connect(port, { cookie })));
      for (const node of nodes) node.commands();
      for (const client of clients) for (let left = updatesOfEach; left > 0; left -= 1) client.send('one more');
      await Promise.all(clients.map((client) => client.take(updatesOfEach)));
      const updates = channelCount * updatesOfEach;
      await eventually(async () => {
        const stored = await db.collection(collection).findOne();
        expect(JSON.parse(stored?.['data'] as string)).toEqual({ count: updates });
      });
      const commands = nodes.flatMap((node) => node.commands());
      expect(servers.flatMap(({ errors }) => codesOf(errors))).toEqual([]);
      expect(servers.map(({ channels }) => channels.channels.size)).toEqual(servers.map(() => channelCount / serverCount));
      expect(commands.length / updates).toBeLessThanOrEqual(1.5);
    },
    60_000,
  );
});
