import type { IncomingMessage } from 'node:http';
import type { WebSocket, WebSocketServer } from 'ws';
import type { ChannelHost, ChannelPlan, RuntimeChannel, Transport } from '../channel/channel-host.js';
import { connect } from '../channel/connect.js';
import { LiveChannel } from '../channel/live-channel.js';
import { isAttached } from '../channel/socket-events.js';
import { checkedOptions, milliseconds } from '../checked-options.js';
import { Dependencies } from '../dependencies.js';
import { handshakeOf } from '../handshake.js';
import { SESSION_STORE } from '../injection.js';
import { originRule } from '../origin.js';
import { refusedOrigin } from '../refused-origin.js';
import { Reporter } from '../reporter.js';
import { MemorySessionStore } from '../session/memory-session-store.js';
import { SessionRecords } from '../session/session-records.js';
import { mergeSessionOptions, type SessionSettings } from '../session/session-settings.js';
import { AcceptedTransport } from './accepted-transport.js';
import type { ChannelHandlers, ClassHandlers } from './channel-handlers.js';
import { ChannelRegistry, type Channels } from './channel-registry.js';
import { type ChannelServerOptions, checkedServerOptions, type ServerSettings } from './channel-server-options.js';
import { KnownCredentials } from './known-credentials.js';
import { credentialsOf, planChannels, type Slots, sessionOptionsOf, slotsOf } from './plan-channels.js';
import type { UpgradeOptions } from './upgrade-options.js';
import type { UpgradeTransport } from './upgrade-transport.js';
import { type UpgradeServer, Upgrades } from './upgrades.js';

/** Options of {@link ChannelServer.close}. */
export interface CloseOptions {
  /** How long channels may take to end in order, in milliseconds, at least 0; then they are dropped. @default 10,000 */
  readonly timeoutMs?: number | undefined;
}

const dayMs = 86_400_000;

/** Runs handlers for the sockets of any `ws` server, or for the upgrades of an HTTP server. */
export class ChannelServer<H extends object = object> {
  /**
   * Serves a socket of any `ws` server: `wss.on('connection', channels.accept)`. Bound. To be called in the very tick in which the
   * connection arrives, since frames that arrive before it are nobody's. A refusal is a close code.
   */
  readonly accept: (socket: WebSocket, request: IncomingMessage) => void;
  readonly #settings: ServerSettings;
  readonly #host: ChannelHost;
  readonly #plan: ChannelPlan;
  readonly #credentials: KnownCredentials;
  readonly #isOriginAllowed: (request: IncomingMessage) => boolean;
  readonly #registry = new ChannelRegistry();
  /** Every channel of which anything still runs, pending ones and ended ones included. */
  readonly #active = new Set<RuntimeChannel>();
  readonly #sessions: SessionRecords;
  readonly #upgrades: Upgrades;
  /** What takes the listeners of `attach` away. */
  readonly #detachments: (() => void)[] = [];
  #closing: Promise<void> | undefined;
  #whenDone: (() => void) | undefined;

  /**
   * @param handlers an object `{ connect?, receive?, disconnect? }`, an instance with such methods, or a class that the container
   * resolves.
   * @throws {TypeError} when handlers or options are not what they must be.
   * @throws {ChannelError} `ERR_DEPENDENCY_MISSING` when a wrapper needs something that is neither given nor registered.
   */
  constructor(handlers: ChannelHandlers | (H & ClassHandlers<H>), options?: ChannelServerOptions) {
    this.#settings = checkedServerOptions(options);
    const { container, clock, connectTimeoutMs } = this.#settings;
    const slots = slotsOf(handlers, container);
    const dependencies = new Dependencies(container, connectTimeoutMs, clock);
    const reporter = new Reporter(this.#settings, clock);
    this.#credentials = new KnownCredentials(reporter);
    // weak: a function of the application's own may make a wrapper anew for every message
    const bindings = new WeakMap<object, unknown>();
    const bind: ChannelHost['bind'] = (bindable) => {
      if (!bindings.has(bindable)) {
        bindings.set(bindable, bindable.bind(dependencies));
        this.#credentials.learn(bindable.credentials ?? []);
      }
      return bindings.get(bindable) as ReturnType<typeof bindable.bind>;
    };
    this.#isOriginAllowed = originRule(this.#settings);
    this.#credentials.learn(credentialsOf(slots));
    this.#plan = planChannels(slots, this.#settings, bind);
    this.#sessions = new SessionRecords({
      settings: sessionSettings(slots, this.#settings, dependencies),
      clock,
      random: Math.random,
      deadlineMs: connectTimeoutMs,
      report: (error) => reporter.error(error),
    });
    this.#host = this.#makeHost(reporter, bind);
    this.#upgrades = new Upgrades({
      settings: this.#settings,
      reporter,
      credentials: this.#credentials,
      serve: (transport, request) => this.#serve(transport, request),
    });
    this.accept = (socket, request) => {
      this.#credentials.reportUnguarded();
      this.#accept(socket, request);
    };
  }

  /** The live channels; read-only. */
  get channels(): Channels {
    return this.#registry;
  }

  /**
   * Serves every connection of `server`, and closes when it does.
   *
   * @throws {TypeError} when a wrapper reads tokens from subprotocols and `server` would echo them (it has no `handleProtocols`), or after
   * {@link close}.
   */
  attach(server: WebSocketServer): void {
    if (typeof (server as Partial<WebSocketServer> | null)?.on !== 'function')
      throw new TypeError('attach: server must be a WebSocketServer of ws');
    if (this.#credentials.readsSubprotocols && typeof server.options.handleProtocols !== 'function') {
      throw new TypeError(
        'attach: a wrapper reads tokens from subprotocols, which ws echoes: give the WebSocketServer the option handleProtocols',
      );
    }
    this.#mustBeOpen('attach');
    const onConnection = (socket: WebSocket, request: IncomingMessage): void => this.#accept(socket, request);
    const onClose = (): void => void this.close();
    server.on('connection', onConnection);
    server.on('close', onClose);
    this.#detachments.push(() => server.off('connection', onConnection).off('close', onClose));
  }

  /**
   * Serves the upgrades of an HTTP server. The connect handler runs before the handshake is answered, so a refusal is an HTTP status, and
   * what it sends goes out after the 101. An upgrade for another path is left to other `upgrade` listeners, and gets 404 where there are none
   * or none has answered within 10 seconds.
   *
   * @throws {TypeError} when an option is not what it must be, or the server has such a route already, or after {@link close}.
   */
  handleUpgrades(server: UpgradeServer, options: UpgradeOptions = {}): void {
    this.#mustBeOpen('handleUpgrades');
    this.#upgrades.addRoute(server, options);
  }

  /**
   * Ends every channel with 1012 (503 where its handshake is not answered), refuses new ones, and waits for handlers and saves under way.
   * Then its listeners are taken off the servers that it was given, and its paths are free. Called again, it gives the same promise.
   */
  close(options?: CloseOptions): Promise<void> {
    const { timeoutMs = 10_000 } = checkedOptions('close', options, { timeoutMs: milliseconds(0) });
    this.#upgrades.close();
    this.#closing ??= this.#shutDown(timeoutMs);
    return this.#closing;
  }

  /** {@link close}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Begins a channel on a transport of one's own; what `ws-with/testing` is built on. `connected` resolves when connect is done, well or not.
   *
   * @internal
   */
  open(transport: Transport, request: IncomingMessage): { readonly channel: LiveChannel; readonly connected: Promise<void> } {
    const channel = new LiveChannel(this.#host, transport);
    this.#active.add(channel);
    if (this.#closing === undefined && this.#isOriginAllowed(request)) return { channel, connected: connect(channel, transport, request) };
    if (this.#closing !== undefined) channel.endWith('ERR_SHUTDOWN');
    else {
      this.#host.reporter.warn(refusedOrigin(request));
      channel.endWith('ERR_ORIGIN_REFUSED');
    }
    return { channel, connected: Promise.resolve() };
  }

  #serve(transport: UpgradeTransport, request: IncomingMessage): void {
    const { channel } = this.open(transport, request);
    if (channel.isOpen) transport.watch({ gone: () => channel.closed(1006, ''), overflowed: () => channel.overflowed() });
  }

  #accept(socket: WebSocket, request: IncomingMessage): void {
    if (typeof (socket as Partial<WebSocket> | null)?.send !== 'function' || request?.headers === undefined) {
      throw new TypeError('accept: must be given a socket of ws and the request of its handshake');
    }
    if (isAttached(socket) || socket.readyState !== socket.OPEN) return; // served already, or gone already
    this.open(new AcceptedTransport(socket, request), request);
  }

  #makeHost(reporter: Reporter, bind: ChannelHost['bind']): ChannelHost {
    const { clock, outcomes, connectTimeoutMs, maxBufferedBytes, trustProxy } = this.#settings;
    return {
      plan: this.#plan,
      clock,
      outcomes,
      reporter,
      connectTimeoutMs,
      maxBufferedBytes,
      sessions: this.#sessions,
      bind,
      handshakeOf: (request) => handshakeOf(request, this.#credentials.secretParameters, trustProxy),
      channelOpened: (channel) => this.#registry.add(channel),
      channelClosed: (channel) => this.#registry.delete(channel),
      channelFinished: (channel) => {
        this.#active.delete(channel);
        if (this.#active.size === 0) this.#whenDone?.();
      },
    };
  }

  async #shutDown(timeoutMs: number): Promise<void> {
    await Promise.resolve(); // so that `open` sees that we are closing
    for (const channel of [...this.#active]) channel.endWith('ERR_SHUTDOWN');
    if (this.#active.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#settings.clock.setTimer(resolve, timeoutMs);
        this.#whenDone = () => {
          cancel();
          resolve();
        };
      });
      for (const channel of [...this.#active]) channel.terminate();
    }
    this.#sessions.close();
    this.#upgrades.end();
    for (const detach of this.#detachments.splice(0)) detach();
  }

  #mustBeOpen(method: string): void {
    if (this.#closing !== undefined) throw new TypeError(`${method}: the ChannelServer is closed; make a new one`);
  }
}

/** The settings of the server's sessions: of its own option and of every `withChannelSession`. */
function sessionSettings(slots: Slots, settings: ServerSettings, dependencies: Dependencies): SessionSettings {
  const { store, ttlMs = dayMs, scope = 'channel' } = mergeSessionOptions([settings.session, ...sessionOptionsOf(slots)]);
  const names = { wrapper: 'withChannelSession', option: 'store', token: 'SESSION_STORE', method: 'load' };
  const given = store === undefined ? dependencies.find(SESSION_STORE, names) : dependencies.check(store, names);
  // shared sessions need a place that outlives a channel; one channel's own session needs none
  const fallback = scope === 'channel' ? undefined : new MemorySessionStore({ clock: settings.clock });
  return Object.freeze({ store: given ?? fallback, ttlMs, scope });
}
