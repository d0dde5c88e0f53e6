import { type ComparePlan, type Comparison, type Contender, compare } from './compare.js';
import { plain, socketIo } from './load/dialect.js';
import { signedCookie } from './signed-cookie.js';

interface Titled extends Comparison {
  readonly title: string;
}

const base: Contender = { name: 'plain ws', server: 'echo-plain' };
const again: Contender = { name: 'plain ws again (the noise)', server: 'echo-plain' };
const wrapped: Contender = { name: 'ws-with', server: 'echo-wrapped' };

/** ws-with beside what can be written by hand. */
const byHand: Titled = {
  title: 'Echo with session and user, as ratios to plain ws',
  base,
  candidates: [
    again,
    { name: 'plain ws, digest and repository', server: 'echo-digest' },
    { name: 'plain ws, corked per tick', server: 'echo-corked' },
    { name: 'plain ws, one pooled buffer', server: 'echo-pooled' },
    wrapped,
    { name: 'ws-with, session unchanged', server: 'echo-wrapped-unchanged' },
    { name: 'ws-with, after an await', server: 'echo-wrapped-await' },
  ],
  job: 'all',
};

/** The same work with what others take. */
const peers: Titled = {
  title: 'The same work with others, as ratios to plain ws',
  base,
  candidates: [
    again,
    { name: 'crossws', server: 'peer-crossws' },
    { name: 'Hono', server: 'peer-hono' },
    { name: '@fastify/websocket', server: 'peer-fastify' },
    { name: 'Socket.IO', server: 'peer-socket-io', dialect: socketIo },
    { name: 'ws and express-session', server: 'peer-express-session', dialect: { ...plain, cookieOf: signedCookie } },
    wrapped,
  ],
  job: 'all',
};

/** Measures the echo servers; returns the report. */
export function compareEcho(plan: ComparePlan): Promise<string> {
  return report(byHand, plan);
}

/** Measures what others have; returns the report. */
export function comparePeers(plan: ComparePlan): Promise<string> {
  return report(peers, plan);
}

async function report(comparison: Titled, plan: ComparePlan): Promise<string> {
  const { table, rounds, baseOf: of } = await compare(comparison, plan);
  return [
    `## ${comparison.title}: median (min-max) of ${rounds} rounds`,
    '',
    table,
    '',
    'More is better for echo and handshakes; less is better for CPU, p50 and RSS.',
    `${base.name} itself, in this run and on this machine only: ${of('echo1')} round trips/s at depth 1, ${of('echo8')} at depth 8, ` +
      `${of('handshakes')} handshakes/s, ${of('cpu1')} and ${of('cpu8')} µs of CPU per message, ${of('cpuHandshake')} µs per handshake, ` +
      `${of('latency')} ms for the median answer at 1,000 messages/s, ${of('idle')} KiB per idle connection.`,
  ].join('\n');
}
