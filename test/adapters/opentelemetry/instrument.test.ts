import { channel } from 'node:diagnostics_channel';
import { type Attributes, type DiagLogger, diag, propagation, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { ChannelServer, withAuthenticatedUser, withChannelSession, withUserFromToken } from '../../../entries/index.js';
import { MemorySessionStore } from '../../../entries/memory.js';
import { instrument } from '../../../entries/opentelemetry.js';
import { connectTo } from '../../../entries/testing.js';
import type { ChannelEvent } from '../../../src/events.js';
import { tokenIdOf } from '../../../src/token-id.js';
import { deferred } from '../../support/deferred.js';
import { eventually } from '../../support/eventually.js';
import { eventTypes } from '../../support/heard.js';
import { RawClient } from '../../support/raw-client.js';
import { serve } from '../../support/serving.js';
import { aliceKey, expectProcessToLive, makeSite, thrownBy } from '../../support/site.js';

expectProcessToLive();

interface Point {
  readonly attributes: Attributes;
  readonly value: unknown;
}

/** Metrics and spans as they would be exported, from now on until the test is over. */
function exporting() {
  const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const spanExporter = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spanExporter)] });
  const instrumentation = instrument({ meterProvider, tracerProvider });
  onTestFinished(() => meterProvider.shutdown());
  onTestFinished(() => instrumentation[Symbol.dispose]());

  /** The points of a metric, each with its attributes. */
  async function points(name: string): Promise<Point[]> {
    metricExporter.reset();
    await meterProvider.forceFlush();
    const all = metricExporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
    return all.filter(({ descriptor }) => descriptor.name === name).flatMap(({ dataPoints }): readonly Point[] => dataPoints);
  }

  /** The sum and the count of a histogram, by attributes. */
  async function sums(name: string): Promise<unknown[]> {
    return (await points(name)).map(({ attributes, value }) => {
      const { sum, count } = value as Histogram;
      return { attributes, sum, count };
    });
  }

  const counts = async (name: string): Promise<unknown[]> => (await points(name)).map(({ attributes, value }) => ({ attributes, value }));

  /** All names and units of metrics. */
  async function units(): Promise<Record<string, string>> {
    metricExporter.reset();
    await meterProvider.forceFlush();
    const all = metricExporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap((scope) => scope.metrics));
    return Object.fromEntries(all.map(({ descriptor }) => [descriptor.name, descriptor.unit]));
  }

  const spans = (name: string): ReadableSpan[] => spanExporter.getFinishedSpans().filter((span) => span.name === name);
  return { instrumentation, meterProvider, spanExporter, sums, counts, units, spans };
}

/** A server whose connect takes 20 ms, on a clock that stands still otherwise. */
function makeServer() {
  const { clock, tokens, options } = makeSite();
  const store = new MemorySessionStore({ clock });
  const connect = withUserFromToken({ tokens })(withAuthenticatedUser(() => clock.advance(20)));
  const receive = withChannelSession({ store, scope: 'user' })(({ channelSession }) => {
    channelSession.update('count', (count) => Number(count ?? 0) + 1);
  });
  return { clock, server: new ChannelServer({ connect, receive }, options) };
}

const cookies = { key: aliceKey };

/** One event of each type. */
const oneOfEach = ((): readonly ChannelEvent[] => {
  const subject = { channelId: 'c', userDigest: 'u', tokenId: tokenIdOf(aliceKey) };
  const handshake = { ...subject, via: 'upgrade', outcome: 'ok', source: 'token', durationMs: 20, traceparent: undefined } as const;
  return [
    { type: 'identification', ...subject, outcome: 'ok', source: 'token', carrier: 'cookie', durationMs: 5 },
    { type: 'handshake', ...handshake },
    { type: 'refusal', ...handshake, code: 'ERR_HANDLER_FAILED', status: 500, closeCode: undefined },
    { type: 'revalidation', source: 'token', asked: 10, ended: 2, failed: 3, durationMs: 40 },
    { type: 'revocation', kind: 'user', subject: 'u', isHint: true, channels: 4 },
    { type: 'renewal', ...subject, how: 'successor' },
    { type: 'save', channelIds: ['c'], commits: 2, code: undefined, durationMs: 3 },
    { type: 'conflict', channelIds: ['c', 'd'], isRetried: true },
    { type: 'slow-consumer', ...subject, bufferedBytes: 9 },
    { type: 'heartbeat', pinged: 7, silent: 1 },
    { type: 'close', ...subject, code: undefined, closeCode: 4711, reason: undefined, wasOpen: true, ageMs: 1_500 },
  ];
})();

function publish(events: readonly ChannelEvent[]): void {
  for (const event of events) channel(`ws-with:${event.type}`).publish(event);
}

describe('metrics', () => {
  it('time handshakes and identifications, and count refusals by their reason', async () => {
    const { sums, counts } = exporting();
    const { server } = makeServer();
    await connectTo(server, { cookies });
    await connectTo(server, { cookies: { key: 'f'.repeat(40) } });
    const refused = { 'ws_with.handshake.via': 'upgrade', 'error.type': 'ERR_AUTHENTICATION_REQUIRED' };
    expect(await sums('ws_with.handshake.duration')).toEqual([
      { attributes: { 'ws_with.handshake.via': 'upgrade' }, sum: 0.02, count: 1 },
      { attributes: refused, sum: 0, count: 1 },
    ]);
    const unknown = { 'ws_with.authentication.outcome': 'unknown', 'ws_with.authentication.source': 'token' };
    expect(await counts('ws_with.handshake.refusals')).toEqual([{ attributes: { ...refused, ...unknown }, value: 1 }]);
    expect(await sums('ws_with.identification.duration')).toMatchObject([{ count: 1 }, { attributes: unknown, count: 1 }]);
  });

  it('tell how many channels are connecting, live and closing, those from before included', async () => {
    const { server } = makeServer();
    const earlier = await connectTo(server, { cookies });
    const { counts } = exporting();
    const now = async (): Promise<Record<string, number>> =>
      Object.fromEntries(
        ((await counts('ws_with.channel.count')) as { attributes: Attributes; value: number }[]).map(({ attributes, value }) => [
          String(attributes['ws_with.channel.state']),
          value,
        ]),
      );
    const before = await now();
    const differences = async (): Promise<number[]> => {
      const after = await now();
      return ['connecting', 'live', 'closing'].map((state) => (after[state] ?? 0) - (before[state] ?? 0));
    };
    expect(before['live']).toBeGreaterThanOrEqual(1);
    const [begun, ready] = [deferred(), deferred()];
    const connect = (): Promise<void> => {
      begun.resolve();
      return ready.promise;
    };
    const { port, channels } = await serve({ connect });
    const client = await RawClient.upgrade(port);
    await begun.promise;
    expect(await differences()).toEqual([1, 0, 0]);
    ready.resolve();
    await client.status();
    const [channel] = channels.channels;
    expect(await differences()).toEqual([0, 1, 0]);
    channel?.close(); // which this client does not answer
    expect(await differences()).toEqual([0, 0, 1]);
    client.finish();
    await eventually(() => expect(channels.channels.size).toBe(0));
    await earlier.disconnect();
    expect(await differences()).toEqual([0, -1, 0]);
  });

  it('tell of the writes of sessions, and of the lives of channels', async () => {
    const { sums, counts } = exporting();
    const { clock, server } = makeServer();
    const client = await connectTo(server, { cookies });
    await client.send('a');
    await clock.advance(1_000);
    await client.disconnect(4711);
    expect(await sums('ws_with.session.save.commits')).toEqual([{ attributes: {}, sum: 1, count: 1 }]);
    expect(await sums('ws_with.channel.lifetime')).toEqual([{ attributes: { 'ws_with.close.by': 'peer' }, sum: 1.02, count: 1 }]);
    expect(await counts('ws_with.channel.closes')).toEqual([
      { attributes: { 'ws_with.close.by': 'peer', 'ws_with.close.code': '4xxx', 'ws_with.close.was_open': true }, value: 1 },
    ]);
  });

  it('have names and units of the conventions, and attributes of few values', async () => {
    const { units, counts, sums } = exporting();
    publish(oneOfEach);
    expect(await units()).toEqual({
      'ws_with.channel.closes': '{channel}',
      'ws_with.channel.count': '{channel}',
      'ws_with.channel.lifetime': 's',
      'ws_with.channel.slow_consumers': '{channel}',
      'ws_with.handshake.duration': 's',
      'ws_with.handshake.refusals': '{handshake}',
      'ws_with.heartbeat.pings': '{ping}',
      'ws_with.heartbeat.silent': '{channel}',
      'ws_with.identification.duration': 's',
      'ws_with.renewals': '{channel}',
      'ws_with.revalidation.credentials': '{credential}',
      'ws_with.revalidation.duration': 's',
      'ws_with.revocation.channels': '{channel}',
      'ws_with.revocations': '{revocation}',
      'ws_with.session.conflicts': '{message}',
      'ws_with.session.save.commits': '{message}',
      'ws_with.session.save.duration': 's',
    });
    expect(await counts('ws_with.revalidation.credentials')).toMatchObject([{ value: 7 }, { value: 3 }]);
    expect(await sums('ws_with.revalidation.duration')).toMatchObject([{ sum: 0.04 }]);
    expect(await counts('ws_with.revocation.channels')).toMatchObject([
      { attributes: { 'ws_with.revocation.kind': 'user', 'ws_with.revocation.hint': true }, value: 4 },
    ]);
    expect(await counts('ws_with.heartbeat.pings')).toMatchObject([{ attributes: {}, value: 7 }]);
    const all = await Promise.all(Object.keys(await units()).map((name) => counts(name)));
    expect(JSON.stringify(all)).not.toContain(tokenIdOf(aliceKey));
  });

  it('leave out the durations of what began before anybody listened', async () => {
    const { sums, counts } = exporting();
    publish(oneOfEach.map((event) => ({ ...event, ...('durationMs' in event && { durationMs: undefined }), ageMs: undefined })));
    expect(await sums('ws_with.handshake.duration')).toEqual([]);
    expect(await sums('ws_with.channel.lifetime')).toEqual([]);
    expect(await counts('ws_with.channel.closes')).toHaveLength(1);
  });
});

describe('spans', () => {
  it('are of the handshake and, below it, of its identification, each as long as it took', async () => {
    const { spans } = exporting();
    const { server } = makeServer();
    const client = await connectTo(server, { cookies });
    const [handshake, ...others] = spans('ws_with.handshake');
    const [identification] = spans('ws_with.identification');
    expect(others).toEqual([]);
    expect(handshake?.attributes).toEqual({
      'ws_with.channel.id': client.channel.id,
      'ws_with.handshake.via': 'upgrade',
      'ws_with.authentication.outcome': 'ok',
      'ws_with.authentication.source': 'token',
    });
    expect(handshake?.duration).toEqual([0, 20_000_000]);
    expect(handshake?.ended).toBe(true); // the channel lives on
    expect(identification?.parentSpanContext?.spanId).toBe(handshake?.spanContext().spanId);
  });

  it('of what happens later are linked to the handshake, and no span is left open', async () => {
    const { spans, spanExporter } = exporting();
    const { server } = makeServer();
    const client = await connectTo(server, { cookies });
    await client.send('a');
    await client.disconnect(4000, aliceKey);
    const handshake = spans('ws_with.handshake')[0]?.spanContext();
    for (const name of ['ws_with.session.save', 'ws_with.channel.close']) {
      const [span] = spans(name);
      expect(span?.links.map((link) => link.context.spanId)).toEqual([handshake?.spanId]);
      expect(span?.spanContext().traceId).not.toBe(handshake?.traceId);
    }
    const all = spanExporter.getFinishedSpans();
    expect(all).toHaveLength(4);
    expect(JSON.stringify(all.map(({ attributes, events }) => [attributes, events]))).not.toMatch(new RegExp(`${aliceKey}|alice`));
    publish(oneOfEach.filter(({ type }) => type === 'save'));
    expect(spans('ws_with.session.save')[1]?.links).toEqual([]); // of a channel that is over, nothing is kept
  });

  it('keep nothing of a look-up whose answer comes when its channel has been refused', async () => {
    const { spans } = exporting();
    const { clock, options } = makeSite();
    const late = deferred<undefined>();
    const tokens = { findById: () => late.promise };
    const connecting = connectTo({ connect: withUserFromToken({ tokens })(() => {}) }, { ...options, cookies });
    await clock.advance(5_000);
    await connecting;
    late.resolve(undefined);
    await clock.advance(0);
    expect(spans('ws_with.identification')).toMatchObject([
      { duration: [5, 0], attributes: { 'ws_with.authentication.outcome': 'failed' } },
    ]);
    expect(spans('ws_with.handshake')).toMatchObject([{ attributes: { 'error.type': 'ERR_LOOKUP_TIMEOUT' } }]);
  });

  it('belong to the trace of the handshake’s request, as the propagator reads it', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    propagation.setGlobalPropagator({
      inject() {},
      extract(context, carrier, getter) {
        const [, id = '', spanId = ''] = String(getter.get(carrier, 'traceparent')).split('-');
        return trace.setSpanContext(context, { traceId: id, spanId, traceFlags: 1, isRemote: true });
      },
      fields: () => ['traceparent'],
    });
    onTestFinished(() => propagation.disable());
    const { spans } = exporting();
    const { server } = makeServer();
    await connectTo(server, { cookies, headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` } });
    const [handshake] = spans('ws_with.handshake');
    expect([handshake?.spanContext().traceId, handshake?.parentSpanContext?.spanId]).toEqual([traceId, 'b7ad6b7169203331']);
    expect(spans('ws_with.identification')[0]?.spanContext().traceId).toBe(traceId);
  });

  it('of a refusal say why; only what is the server’s fault is an error', async () => {
    const { spans } = exporting();
    await connectTo(makeServer().server);
    const throws = (): never => {
      throw new Error('no');
    };
    await connectTo({ connect: throws }, makeSite().options);
    expect(
      spans('ws_with.handshake').map(({ attributes, status }) => [
        attributes['error.type'],
        attributes['http.response.status_code'],
        status.code,
      ]),
    ).toEqual([
      ['ERR_AUTHENTICATION_REQUIRED', 401, SpanStatusCode.UNSET],
      ['ERR_HANDLER_FAILED', 500, SpanStatusCode.ERROR],
    ]);
  });
});

describe('instrument', () => {
  it('subscribes to every type of event, and its disposal ends every subscription', () => {
    const heard = (): boolean[] => eventTypes.map((type) => channel(`ws-with:${type}`).hasSubscribers);
    const { instrumentation } = exporting();
    expect(heard()).toEqual(eventTypes.map(() => true));
    instrumentation[Symbol.dispose]();
    instrumentation[Symbol.dispose]();
    expect(heard()).toEqual(eventTypes.map(() => false));
  });

  it('takes the global providers where none is given', async () => {
    const exporter = new InMemorySpanExporter();
    trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
    onTestFinished(() => trace.disable());
    const instrumentation = instrument();
    onTestFinished(() => instrumentation[Symbol.dispose]());
    await connectTo({ connect() {} }, makeSite().options);
    expect(exporter.getFinishedSpans().map(({ name }) => name)).toEqual(['ws_with.handshake']);
  });

  it('harms nobody where a provider fails, and says so', async () => {
    const error = vi.fn<DiagLogger['error']>();
    diag.setLogger({ error, warn() {}, info() {}, debug() {}, verbose() {} });
    onTestFinished(() => diag.disable());
    const startSpan = (): never => {
      throw new Error('no');
    };
    const tracerProvider = { getTracer: () => ({ startSpan, startActiveSpan: startSpan }) };
    const instrumentation = instrument({ tracerProvider });
    onTestFinished(() => instrumentation[Symbol.dispose]());
    await connectTo({ connect() {} }, makeSite().options);
    expect(error).toHaveBeenCalledTimes(1);
  });

  it('refuses what is no provider', () => {
    expect(thrownBy(() => instrument({ meterProvider: {} as never }))).toBeInstanceOf(TypeError);
    expect(thrownBy(() => instrument({ exporter: 1 } as never))).toBeInstanceOf(TypeError);
  });
});
