import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { diag, type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api';
import { checkedOptions, having, type Rules } from '../../src/checked-options.js';
import type { ChannelEvent } from '../../src/events.js';
import { ChannelMetrics } from './channel-metrics.js';
import { ChannelSpans } from './channel-spans.js';
import type { Listeners } from './listeners.js';

/** Options of {@link instrument}. */
export interface InstrumentOptions {
  /** Where metrics go. @default the global one of `@opentelemetry/api`, as it is when `instrument` is called */
  readonly meterProvider?: MeterProvider | undefined;
  /** Where spans go. @default the global one of `@opentelemetry/api` */
  readonly tracerProvider?: TracerProvider | undefined;
}

const rules: Rules<InstrumentOptions> = {
  meterProvider: having('a MeterProvider', 'getMeter'),
  tracerProvider: having('a TracerProvider', 'getTracer'),
};

/** The name of the meter and of the tracer. */
const scope = 'ws-with';

/**
 * Makes metrics and spans of what happens on all servers of this process; the names are listed in `docs/observability.md`. Called once,
 * after the SDK has been set up.
 *
 * @returns what ends it, by its `Symbol.dispose`. With `using` at the top of a module, that is as soon as the module has run.
 * @throws {TypeError} when an option is not what it must be.
 */
export function instrument(options?: InstrumentOptions): Disposable {
  const { meterProvider = metrics.getMeterProvider(), tracerProvider = trace.getTracerProvider() } = checkedOptions(
    'instrument',
    options,
    rules,
  );
  const channelMetrics = new ChannelMetrics(meterProvider.getMeter(scope));
  const channelSpans = new ChannelSpans(tracerProvider.getTracer(scope));
  const subscriptions = [...subscriptionsTo(channelMetrics.listeners), ...subscriptionsTo(channelSpans.listeners)];
  for (const [name, hear] of subscriptions) subscribe(name, hear);
  return {
    [Symbol.dispose](): void {
      for (const [name, hear] of subscriptions.splice(0)) unsubscribe(name, hear);
      channelMetrics.end();
    },
  };
}

type Subscription = readonly [name: string, hear: (message: unknown) => void];

function subscriptionsTo(listeners: Listeners): Subscription[] {
  return Object.entries(listeners).map(([type, listen]) => [
    `ws-with:${type}`,
    (message): void => {
      try {
        (listen as (event: ChannelEvent) => void)(message as ChannelEvent);
      } catch (error) {
        diag.error(`ws-with: an event of type ${type} could not be told`, error); // Node would end the process
      }
    },
  ]);
}
