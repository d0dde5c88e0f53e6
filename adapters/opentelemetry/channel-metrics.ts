import type { Attributes, Counter, Histogram, Meter, ObservableResult } from '@opentelemetry/api';
import { channelCounts } from '../../src/channel-counts.js';
import { authenticationOf, closeOf, enderOf, errorOf, handshakeOf } from './attributes.js';
import type { Listeners } from './listeners.js';

/** The bounds of the histograms of short times, in seconds: those that the conventions give for HTTP. */
const shortTimes = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];
/** Those of a channel's life: from a second to a week. */
const lifetimes = [1, 10, 60, 300, 900, 3_600, 14_400, 43_200, 86_400, 604_800];
const batches = [1, 2, 5, 10, 20, 50, 100, 200, 500];

/** Counters, histograms and the up-down counter of channels by state. All attributes have few values. */
export class ChannelMetrics {
  readonly listeners: Listeners;
  readonly #count;

  constructor(meter: Meter) {
    this.listeners = { ...ofHandshakes(meter), ...ofSessions(meter), ...ofCredentials(meter), ...ofLife(meter) };
    this.#count = meter.createObservableUpDownCounter('ws_with.channel.count', {
      description: 'Channels by state',
      unit: '{channel}',
    });
    this.#count.addCallback(observe);
  }

  /** The number of channels is told of no more. */
  end(): void {
    this.#count.removeCallback(observe);
  }
}

function observe(result: ObservableResult): void {
  for (const [state, count] of Object.entries(channelCounts)) result.observe(count, { 'ws_with.channel.state': state });
}

function counterOf(meter: Meter, name: string, unit: string, description: string): Counter {
  return meter.createCounter(name, { description, unit });
}

/** A histogram of short times; its events give milliseconds, or none where nobody listened when it began. */
function durationOf(meter: Meter, name: string, description: string): (ms: number | undefined, attributes: Attributes) => void {
  const histogram = meter.createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries: shortTimes } });
  return (ms, attributes) => recordSeconds(histogram, ms, attributes);
}

function recordSeconds(histogram: Histogram, ms: number | undefined, attributes: Attributes): void {
  if (ms !== undefined) histogram.record(ms / 1_000, attributes);
}

function ofHandshakes(meter: Meter): Listeners {
  const handshakes = durationOf(meter, 'ws_with.handshake.duration', 'From the arrival of a handshake to its success or refusal');
  const refusals = counterOf(meter, 'ws_with.handshake.refusals', '{handshake}', 'Handshakes that were refused');
  const identifications = durationOf(meter, 'ws_with.identification.duration', 'Looking up who speaks');
  return {
    handshake: (event) => handshakes(event.durationMs, handshakeOf(event)),
    refusal(event) {
      handshakes(event.durationMs, handshakeOf(event));
      refusals.add(1, { ...handshakeOf(event), ...authenticationOf(event) });
    },
    identification: (event) => identifications(event.durationMs, authenticationOf(event)),
  };
}

function ofSessions(meter: Meter): Listeners {
  const saves = durationOf(meter, 'ws_with.session.save.duration', 'Writing what messages changed in a session');
  const commits = meter.createHistogram('ws_with.session.save.commits', {
    description: 'Messages whose changes went into one write',
    unit: '{message}',
    advice: { explicitBucketBoundaries: batches },
  });
  const conflicts = counterOf(
    meter,
    'ws_with.session.conflicts',
    '{message}',
    'Messages that others came before with a change of their session',
  );
  return {
    save(event) {
      saves(event.durationMs, errorOf(event));
      commits.record(event.commits, errorOf(event));
    },
    conflict: ({ channelIds, isRetried }) => conflicts.add(channelIds.length, { 'ws_with.conflict.retried': isRetried }),
  };
}

function ofCredentials(meter: Meter): Listeners {
  const revalidations = durationOf(meter, 'ws_with.revalidation.duration', 'Looking up live credentials again, by batch');
  const credentials = counterOf(meter, 'ws_with.revalidation.credentials', '{credential}', 'Credentials that were looked up again');
  const revocations = counterOf(meter, 'ws_with.revocations', '{revocation}', 'Rights that were taken away');
  const revoked = counterOf(meter, 'ws_with.revocation.channels', '{channel}', 'Channels that a revocation concerned');
  const feeds = counterOf(
    meter,
    'ws_with.revocation_feed.attempts',
    '{attempt}',
    'Attempts to hear a revocation feed, failed ones and those that ended an outage',
  );
  const renewals = counterOf(meter, 'ws_with.renewals', '{channel}', 'Channels that went on with a credential that lives longer');
  return {
    revalidation({ source, asked, failed, durationMs }) {
      const attributes = { 'ws_with.authentication.source': source };
      revalidations(durationMs, attributes);
      credentials.add(asked - failed, { ...attributes, 'ws_with.revalidation.result': 'answered' });
      credentials.add(failed, { ...attributes, 'ws_with.revalidation.result': 'failed' });
    },
    revocation({ kind, isHint, channels }) {
      const attributes = { 'ws_with.revocation.kind': kind, 'ws_with.revocation.hint': isHint };
      revocations.add(1, attributes);
      revoked.add(channels, attributes);
    },
    feed: ({ state }) => feeds.add(1, { 'ws_with.feed.state': state }),
    renewal: ({ how }) => renewals.add(1, { 'ws_with.renewal.how': how }),
  };
}

function ofLife(meter: Meter): Listeners {
  const closes = counterOf(meter, 'ws_with.channel.closes', '{channel}', 'Channels that are over, refused ones apart');
  const lifetime = meter.createHistogram('ws_with.channel.lifetime', {
    description: 'How long channels were there',
    unit: 's',
    advice: { explicitBucketBoundaries: lifetimes },
  });
  const slow = counterOf(meter, 'ws_with.channel.slow_consumers', '{channel}', 'Channels whose peers read too slowly');
  const pings = counterOf(meter, 'ws_with.heartbeat.pings', '{ping}', 'Pings to silent channels');
  const silent = counterOf(meter, 'ws_with.heartbeat.silent', '{channel}', 'Channels that were dropped as silent');
  return {
    close(event) {
      closes.add(1, closeOf(event));
      if (event.wasOpen) recordSeconds(lifetime, event.ageMs, enderOf(event));
    },
    'slow-consumer': () => slow.add(1),
    heartbeat(event) {
      pings.add(event.pinged);
      silent.add(event.silent);
    },
  };
}
