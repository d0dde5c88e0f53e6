import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  type Channel,
  ChannelServer,
  ClientError,
  dispatchOn,
  type HasBody,
  type HasChannelSession,
  type ReceiveMessage,
  withChannelSession,
  withChannelUser,
  withOrdering,
  withRequestId,
  withUserFromToken,
} from '../../entries/index.js';
import { withRateLimit } from '../../entries/rate-limit.js';
import { connectTo, type TestClient } from '../../entries/testing.js';
import { over } from '../adapters/rate-limit/limiters.js';
import { countingStore } from '../support/counting-store.js';
import { aliceKey, expectProcessToLive, makeSite } from '../support/site.js';

expectProcessToLive();

interface Sent {
  readonly does: 'send';
  /** Which of the clients sends it. */
  readonly by: number;
  readonly number: number | undefined;
  readonly command: 'add' | 'add alone' | 'add few' | 'unheard of';
  readonly act: 'succeeds' | 'succeeds late' | 'is told' | 'is told late';
  readonly turns: number;
}

/** A client loses its line and comes back. */
interface Return {
  readonly does: 'return';
  readonly by: number;
  readonly turns: number;
}

const clientCount = 2;
/** How often `add few` may be handled. */
const few = 3;
const by = fc.nat(clientCount - 1);
const turns = fc.nat(2);
const sent: fc.Arbitrary<Sent> = fc.record({
  does: fc.constant('send'),
  by,
  number: fc.option(fc.nat(3), { nil: undefined }),
  command: fc.constantFrom<Sent['command']>('add', 'add', 'add alone', 'add alone', 'add few', 'unheard of'),
  act: fc.constantFrom<Sent['act']>('succeeds', 'succeeds late', 'succeeds late', 'is told', 'is told late'),
  turns,
});
const returned: fc.Arbitrary<Return> = fc.record({ does: fc.constant('return'), by, turns });
const plan = fc.record({
  concurrency: fc.integer({ min: 1, max: 3 }),
  isAllAlone: fc.boolean(),
  delays: fc.array(fc.nat(2), { minLength: 1, maxLength: 5 }),
  steps: fc.array(fc.oneof({ weight: 9, arbitrary: sent }, { weight: 1, arbitrary: returned }), { maxLength: 30, size: 'max' }),
});
type Plan = typeof plan extends fc.Arbitrary<infer Value> ? Value : never;

/** The clients of one log-in, who share a session in a store as far away as a database; notes what handlers of it did. */
class Desk {
  readonly server: ChannelServer;
  readonly clients: TestClient[] = [];
  readonly violations: string[] = [];
  /** The numbers of those that succeeded, and of each what it added. */
  readonly succeeded: { readonly number: string | undefined; readonly id: string; readonly channel: Channel }[] = [];
  readonly #plan: Plan;
  /** What runs on each channel, and whether it must be alone. */
  readonly #running = new Map<Channel, Map<string, boolean>>();
  #asked = 0;
  #fewHandled = 0;

  constructor(given: Plan) {
    this.#plan = given;
    const { tokens, store, options } = makeSite();
    const handler = withChannelSession((message: ReceiveMessage & HasBody & HasChannelSession) => this.#handle(message));
    const limiter = { consume: () => this.#far().then(() => this.#consume()) };
    const parts = dispatchOn('command', {
      add: handler,
      'add alone': withOrdering(handler),
      'add few': withChannelUser(withRateLimit({ limiter, by: 'user' })(handler)),
    });
    this.server = new ChannelServer(
      { connect: withUserFromToken({ tokens })(() => undefined), receive: withRequestId(given.isAllAlone ? withOrdering(parts) : parts) },
      {
        ...options,
        concurrency: given.concurrency,
        session: { scope: 'client', store: countingStore(store, () => this.#delay()).store },
      },
    );
  }

  #delay(): number {
    this.#asked += 1;
    return this.#plan.delays[this.#asked % this.#plan.delays.length] as number;
  }

  async #far(): Promise<void> {
    for (let left = this.#delay(); left > 0; left -= 1) await nextTurn();
  }

  #consume(): void {
    this.#fewHandled += 1;
    if (this.#fewHandled > few) throw over(1_000);
  }

  async come(index: number): Promise<void> {
    await this.clients[index]?.disconnect(1006);
    this.clients[index] = await connectTo(this.server, { cookies: { key: aliceKey } });
  }

  #handle({ body, channel, channelSession }: ReceiveMessage & HasBody & HasChannelSession): unknown {
    const { id, requestId, command, act } = body as Omit<Sent, 'number'> & { readonly id: string; readonly requestId?: string };
    const isAlone = command === 'add alone' || this.#plan.isAllAlone;
    const finish = this.#starts(channel, id, isAlone);
    const seen = (channelSession.get('ids') ?? []) as readonly string[];
    const before = this.succeeded.filter((each) => each.channel === channel);
    if (isAlone && before.some((each) => !seen.includes(each.id))) this.violations.push(`${id} does not see what came before it`);
    channelSession.update('ids', (ids) => [...((ids ?? []) as readonly string[]), id]);
    const end = (): unknown => {
      finish();
      if (act.startsWith('is told')) throw new ClientError('told', { id });
      this.succeeded.push({ number: requestId, id, channel });
      return id;
    };
    return act.endsWith('late') ? this.#far().then(end) : end();
  }

  /** A handler starts; returns what is to be called when it is over. */
  #starts(channel: Channel, id: string, isAlone: boolean): () => void {
    const running = this.#running.get(channel) ?? new Map<string, boolean>();
    this.#running.set(channel, running);
    if (running.size >= this.#plan.concurrency) this.violations.push(`${id} runs beside too many`);
    if (running.size > 0 && (isAlone || [...running.values()].includes(true)))
      this.violations.push(`${id} runs beside one that runs alone`);
    running.set(id, isAlone);
    return () => running.delete(id);
  }
}

type Answer = { readonly requestId?: string; readonly result?: string; readonly error?: string; readonly id?: string };

function expectAnswers(desk: Desk, sentTo: readonly { readonly client: TestClient; readonly number: string }[]): void {
  for (const client of desk.clients) {
    const answers = client.sentJson as readonly Answer[];
    const numbersOf = (list: readonly { readonly number?: string | undefined }[]) => list.flatMap(({ number }) => number ?? []).sort();
    expect(numbersOf(answers.map(({ requestId }) => ({ number: requestId })))).toEqual(
      numbersOf(sentTo.filter((each) => each.client === client)),
    );
    for (const { requestId, result, error } of answers) {
      if (error !== undefined) expect(['told', 'unknown_command', 'rate_limited']).toContain(error);
      else expect(desk.succeeded.map(({ number, id }) => [number, id])).toContainEqual([requestId, result]);
    }
  }
}

async function run({ steps, ...given }: Plan): Promise<void> {
  const desk = new Desk({ steps, ...given });
  const sentTo: { client: TestClient; number: string }[] = [];
  const pending: Promise<void>[] = [];
  for (let index = 0; index < clientCount; index += 1) await desk.come(index);
  for (const [index, step] of steps.entries()) {
    if (step.does === 'return') await desk.come(step.by);
    else {
      const client = desk.clients[step.by] as TestClient;
      const number = step.number === undefined ? undefined : `r-${step.number}`;
      if (number !== undefined) sentTo.push({ client, number });
      pending.push(client.sendJson({ command: step.command, act: step.act, id: `message ${index}`, requestId: number }));
    }
    for (let left = step.turns; left > 0; left -= 1) await nextTurn();
  }
  await Promise.all(pending);
  expect(desk.violations).toEqual([]);
  expectAnswers(desk, sentTo);
  const numbers = desk.succeeded.flatMap(({ number }) => number ?? []);
  expect(new Set(numbers).size).toBe(numbers.length);
  await desk.come(0); // who comes now has the session as it was saved
  const ids = (desk.clients[0] as TestClient).channelSession.get('ids') as readonly string[] | undefined;
  expect([...(ids ?? [])].sort()).toEqual(desk.succeeded.map(({ id }) => id).sort());
  await desk.server.close();
}

it('each number is handled with success once and answered alike, one of those alone runs beside none, and the session has what succeeded', async () => {
  await fc.assert(fc.asyncProperty(plan, run), { numRuns: 100 });
});
