import {
  type Attributes,
  context,
  type Link,
  propagation,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { EventSubject, HandshakeEvent, IdentificationEvent, RefusalEvent } from '../../src/events.js';
import { authenticationOf, closeOf, errorOf, handshakeOf } from './attributes.js';
import type { Listeners } from './listeners.js';

interface SpanParts {
  readonly attributes: Attributes;
  readonly durationMs?: number | undefined;
  /** When it was over. @default now */
  readonly at?: number;
  readonly links?: readonly Link[];
  readonly parent?: Span;
}

/**
 * Short spans: of the handshake, below the trace that its request belongs to, with the identification below it; and of what happens to a
 * channel afterwards, each a trace of its own with a link to the handshake. None lasts as long as a connection.
 */
export class ChannelSpans {
  readonly #tracer: Tracer;
  /**
   * Identifications of channels that are still connecting, and when they were over: their spans belong below one that begins with the
   * handshake's end.
   */
  readonly #identified = new Map<string, { readonly event: IdentificationEvent; readonly at: number }>();
  /** Of the handshakes of live channels, where they are sampled. */
  readonly #handshakes = new Map<string, SpanContext>();
  readonly listeners: Listeners = {
    identification: (event) => void this.#identified.set(event.channelId, { event, at: Date.now() }),
    handshake: (event) => {
      const spanContext = this.#handshake(event).spanContext();
      if ((spanContext.traceFlags & TraceFlags.SAMPLED) !== 0) this.#handshakes.set(event.channelId, spanContext);
    },
    refusal: (event) => void this.#handshake(event),
    save: (event) => {
      const attributes = { 'ws_with.session.save.commits': event.commits, ...errorOf(event) };
      this.#record('ws_with.session.save', { attributes, durationMs: event.durationMs, links: this.#linksTo(event.channelIds) });
    },
    conflict: ({ channelIds, isRetried }) => {
      const attributes = { 'ws_with.conflict.retried': isRetried };
      this.#record('ws_with.session.conflict', { attributes, links: this.#linksTo(channelIds) });
    },
    revalidation: ({ source, asked, ended, failed, durationMs }) => {
      const attributes = {
        'ws_with.authentication.source': source,
        'ws_with.revalidation.asked': asked,
        'ws_with.revalidation.ended': ended,
        'ws_with.revalidation.failed': failed,
      };
      this.#record('ws_with.revalidation', { attributes, durationMs });
    },
    renewal: (event) => this.#recordOf(event, 'ws_with.renewal', { 'ws_with.renewal.how': event.how }),
    'slow-consumer': (event) =>
      this.#recordOf(event, 'ws_with.channel.slow_consumer', { 'ws_with.channel.buffered_bytes': event.bufferedBytes }),
    close: (event) => {
      this.#identified.delete(event.channelId);
      this.#recordOf(event, 'ws_with.channel.close', closeOf(event));
      this.#handshakes.delete(event.channelId);
    },
  };

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  #handshake(event: HandshakeEvent | RefusalEvent): Span {
    const status = event.type === 'refusal' ? event.status : undefined;
    const parent = propagation.extract(context.active(), { traceparent: event.traceparent });
    const at = Date.now();
    const span = this.#tracer.startSpan(
      'ws_with.handshake',
      {
        kind: SpanKind.SERVER,
        startTime: at - (event.durationMs ?? 0),
        attributes: {
          ...(event.channelId !== undefined && { 'ws_with.channel.id': event.channelId }),
          ...handshakeOf(event),
          ...authenticationOf(event),
          ...(status !== undefined && { 'http.response.status_code': status }),
        },
      },
      parent,
    );
    // what a client does wrong is no error of the server's
    if (event.type === 'refusal' && (status ?? 0) >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
    if (event.channelId !== undefined) this.#identification(event.channelId, span);
    span.end(at);
    return span;
  }

  #identification(channelId: string, parent: Span): void {
    const identified = this.#identified.get(channelId);
    if (identified === undefined) return;
    this.#identified.delete(channelId);
    const { event, at } = identified;
    const attributes = { 'ws_with.channel.id': channelId, ...authenticationOf(event) };
    this.#record('ws_with.identification', { attributes, durationMs: event.durationMs, at, parent });
  }

  #recordOf({ channelId }: EventSubject, name: string, attributes: Attributes): void {
    this.#record(name, { attributes: { 'ws_with.channel.id': channelId, ...attributes }, links: this.#linksTo([channelId]) });
  }

  #record(name: string, { attributes, durationMs = 0, at = Date.now(), links = [], parent }: SpanParts): void {
    const options = { attributes, links: [...links], startTime: at - durationMs };
    const span =
      parent === undefined
        ? this.#tracer.startSpan(name, { ...options, root: true })
        : this.#tracer.startSpan(name, options, trace.setSpan(context.active(), parent));
    span.end(at);
  }

  #linksTo(channelIds: readonly string[]): Link[] {
    return channelIds.flatMap((id) => {
      const spanContext = this.#handshakes.get(id);
      return spanContext === undefined ? [] : [{ context: spanContext }];
    });
  }
}
