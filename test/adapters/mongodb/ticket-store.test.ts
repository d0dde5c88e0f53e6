import { hash } from 'node:crypto';
import { expect, it } from 'vitest';
import { MongoTicketStore } from '../../../entries/mongodb.js';
import { TestClock } from '../../../entries/testing.js';
import { describeOnMongo, openDatabase } from './mongo.js';

describeOnMongo('MongoTicketStore', () => {
  const { db, commands } = openDatabase();
  const documents = db.collection<{ _id: string }>('tickets');

  it('keeps the digest of a ticket, what it stands for and its end, and never the ticket', async () => {
    const clock = new TestClock(Date.now());
    const tickets = new MongoTicketStore(db, { clock });
    const ticket = await tickets.issue({ userId: 'ada', httpSessionId: 's-1' }, 30_000);
    const _id = hash('sha256', ticket, 'hex');
    const document = await documents.findOne({ _id });
    expect(document).toEqual({ _id, grant: { userId: 'ada', httpSessionId: 's-1' }, expiresAt: new Date(clock.now() + 30_000) });
    expect(JSON.stringify(await documents.find().toArray())).not.toContain(ticket);
  });

  it('takes one command to issue a ticket, and one to consume it, after which nothing is left', async () => {
    const tickets = new MongoTicketStore(db, { collection: 'passes' });
    commands();
    const ticket = await tickets.issue({ userId: 'ada' }, 30_000);
    await tickets.consume(ticket);
    expect(commands()).toEqual(['insert', 'findAndModify']);
    expect(await db.collection('passes').countDocuments()).toBe(0);
  });

  it('is one store in all processes: what one issued the other consumes, once', async () => {
    const [one, other] = [new MongoTicketStore(db), new MongoTicketStore(db)];
    const ticket = await one.issue({ userId: 'ada' }, 30_000);
    const found = await Promise.all(Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? one : other).consume(ticket)));
    expect(found.filter((grant) => grant !== undefined)).toEqual([{ userId: 'ada' }]);
  });

  it('rejects what somebody else has put there', async () => {
    const tickets = new MongoTicketStore(db);
    await documents.insertOne({
      _id: hash('sha256', 'forged', 'hex'),
      grant: { userId: 7 },
      expiresAt: new Date(Date.now() + 30_000),
    } as never);
    await expect(tickets.consume('forged')).rejects.toThrow(TypeError);
  });

  it.each([{ collection: '' }, { timeoutMs: 0 }, { clock: {} }, { ttlMs: 1 }, 7])('refuses the options %j with a TypeError', (options) => {
    expect(() => new MongoTicketStore(db, options as never)).toThrow(TypeError);
    expect(() => new MongoTicketStore({} as never)).toThrow(TypeError);
  });
});
