import type { IncomingMessage } from 'node:http';
import { WebSocketServer } from 'ws';
import type { ChannelRegistry } from '../channel/channel-registry.js';
import { openChannel } from '../channel/connecting.js';
import type { Runtime } from '../channel/runtime.js';
import { ChannelError } from '../errors.js';
import type { HandshakeRequest } from '../messages.js';
import type { ErrorCode } from '../outcomes.js';
import { takeResponseHeaders } from '../response-headers.js';
import type { ServerSettings } from './channel-server-options.js';
import { guardedVerifyClient } from './guarded-verify-client.js';
import type { SocketClaim } from './socket-claim.js';
import { agreeOnProtocol, isOpeningHandshake, type UpgradeOptions, withoutToken } from './upgrade-options.js';
import { UpgradeTransport } from './upgrade-transport.js';

/** What upgrades need of the server that serves them. */
export interface UpgradesOwner {
  readonly settings: ServerSettings;
  readonly runtime: Runtime;
  readonly registry: ChannelRegistry;
}

/** An upgrade that is under way here. */
interface Handshake {
  readonly transport: UpgradeTransport;
  readonly protocol: string | false;
}

/** Answers upgrades of one set of options: with a channel, or a refusal. */
export class UpgradeEndpoint {
  readonly #owner: UpgradesOwner;
  readonly #options: UpgradeOptions;
  readonly #webSockets: WebSocketServer;
  readonly #handshakes = new WeakMap<IncomingMessage, Handshake>();

  constructor(owner: UpgradesOwner, options: UpgradeOptions) {
    this.#owner = owner;
    this.#options = options;
    this.#webSockets = this.#makeWebSockets();
  }

  #makeWebSockets(): WebSocketServer {
    const { reporter, credentials } = this.#owner.runtime;
    const { ws } = this.#options;
    const verifyClient =
      ws?.verifyClient &&
      guardedVerifyClient(ws.verifyClient, {
        report: (error) => reporter.error(error),
        mayAnswer: (request) => this.#handshakes.get(request)?.transport.mayAnswer() === true,
      });
    const webSockets = new WebSocketServer({
      clientTracking: false,
      ...ws,
      ...(verifyClient && { verifyClient }),
      noServer: true,
      handleProtocols: (_offers, request) => withoutToken(this.#handshakes.get(request)?.protocol ?? false, credentials.sources),
    });
    webSockets.on('headers', (lines, request) => void lines.push(...takeResponseHeaders(request)));
    return webSockets;
  }

  /** Takes an upgrade, unless somebody else has answered it. */
  handle(request: HandshakeRequest, claim: SocketClaim, head: Buffer): void {
    const { settings, runtime } = this.#owner;
    const { reporter, credentials } = runtime;
    const onTaken = (): void => this.#reportTaken(claim);
    if (claim.isAnswered) {
      onTaken();
      return;
    }
    if (!isOpeningHandshake(request)) {
      this.#webSockets.handleUpgrade(request, claim.socket, head, (socket) => socket.terminate());
      return;
    }
    const transport = new UpgradeTransport({
      webSockets: this.#webSockets,
      request,
      claim,
      head,
      maxBytes: settings.maxQueuedBytes,
      onTaken,
    });
    try {
      const protocol = agreeOnProtocol(request, credentials.sources, this.#options);
      if (protocol === undefined) this.#refuse(transport, 'ERR_SUBPROTOCOL_REFUSED', request);
      else {
        this.#handshakes.set(request, { transport, protocol });
        this.#open(transport, request);
      }
    } catch (error) {
      reporter.error(error); // a handleProtocols of the application threw
      this.#refuse(transport, 'ERR_HANDLER_FAILED', request);
    }
  }

  #open(transport: UpgradeTransport, request: HandshakeRequest): void {
    const { channel } = openChannel(this.#owner.runtime, this.#owner.registry, transport, request);
    if (channel.isOpen) transport.watch({ gone: () => channel.closed(1006, ''), overflowed: () => channel.overflowed() });
  }

  #refuse(transport: UpgradeTransport, code: ErrorCode, request: HandshakeRequest): void {
    const { outcomes, lifecycle } = this.#owner.runtime;
    lifecycle.turnedAway(code, outcomes[code], request);
    transport.refuse(outcomes[code]);
  }

  /** Without a path, upgrades that others answer with a socket are theirs, as meant; what others end is meant by nobody. */
  #reportTaken(claim: SocketClaim): void {
    const { path } = this.#options;
    if (path === undefined && !claim.isEnded) return;
    const text =
      `A handshake for ${path ?? 'every path'} was ${claim.isEnded ? 'ended' : 'answered'} by somebody else before its answer: by another ` +
      'upgrade listener of the HTTP server, or by the application. A WebSocketServer of ws with the options server and path answers 400 to ' +
      'every other path, and adapters of frameworks drop what is not theirs: give it noServer: true and call its handleUpgrade for its own ' +
      'path alone, or serve these channels through attach or accept, or on a port of their own.';
    this.#owner.runtime.reporter.warn(new ChannelError('ERR_UPGRADE_TAKEN', text));
  }
}
