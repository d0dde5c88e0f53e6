import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { WebSocketServer } from 'ws';
import type { ChannelRegistry } from '../channel/channel-registry.js';
import { Connecting } from '../channel/connecting.js';
import type { Runtime } from '../channel/runtime.js';
import { specimenConnect } from '../channel/specimen-connect.js';
import { ChannelError } from '../errors.js';
import { withParams } from '../handshake.js';
import { httpToken } from '../http-token.js';
import { type CredentialSource, offeredSubprotocols } from '../identity/credentials.js';
import { ignore, isThenable } from '../maybe-promise.js';
import type { HandshakeRequest } from '../messages.js';
import type { ErrorCode } from '../outcomes.js';
import { guardedVerifyClient } from './guarded-verify-client.js';
import type { UpgradeOptions } from './upgrade-options.js';
import { SocketClaim, type UpgradeTaker } from './upgrade-routes.js';
import { type UpgradeAnswerer, UpgradeTransport } from './upgrade-transport.js';

/** What upgrades need of the server that serves them. */
export interface UpgradesOwner {
  readonly runtime: Runtime;
  readonly registry: ChannelRegistry;
}

/** Answers upgrades of one set of options: with a channel, or a refusal. */
export class UpgradeEndpoint implements UpgradeTaker, UpgradeAnswerer {
  readonly webSockets: WebSocketServer;
  readonly refusals: WebSocketServer | undefined;
  readonly takesTime: boolean;
  readonly maxBytes: number;
  /** Kept for V8's sake. */
  readonly specimen: object;
  readonly #owner: UpgradesOwner;
  readonly #options: UpgradeOptions;

  constructor(owner: UpgradesOwner, options: UpgradeOptions) {
    this.#owner = owner;
    this.#options = options;
    this.webSockets = this.#makeWebSockets();
    if (options.refusals === 'close') this.refusals = this.#makeRefusals();
    this.takesTime = options.ws?.verifyClient !== undefined;
    this.maxBytes = owner.runtime.plan.inbox.maxQueuedBytes;
    this.specimen = this.#makeSpecimen();
  }

  #makeSpecimen(): object {
    const raw = new Socket();
    const request = withParams(new IncomingMessage(raw));
    const transport = new UpgradeTransport(this, request, new SocketClaim(request, raw), Buffer.alloc(0));
    return specimenConnect(this.#owner.runtime, this.#owner.registry, transport, request);
  }

  /** Whatever the application's options of ws do with a handshake is for those that succeed. */
  #makeRefusals(): WebSocketServer {
    return new WebSocketServer({
      clientTracking: false,
      noServer: true,
      handleProtocols: (_offers, request) => this.#protocolOf(request),
    });
  }

  #protocolOf(request: IncomingMessage): string | false {
    return withoutToken(UpgradeTransport.of(request)?.protocol ?? false, this.#owner.runtime.credentials.sources);
  }

  #makeWebSockets(): WebSocketServer {
    const { reporter } = this.#owner.runtime;
    const { ws } = this.#options;
    const verifyClient =
      ws?.verifyClient &&
      guardedVerifyClient(ws.verifyClient, {
        report: (error) => reporter.error(error),
        failed: (request, error) => {
          if (UpgradeTransport.of(request)?.failAnswer(error) !== true) reporter.error(error);
        },
        mayAnswer: (request) => UpgradeTransport.of(request)?.mayAnswer() === true,
      });
    const webSockets = new WebSocketServer({
      clientTracking: false,
      ...ws,
      ...(verifyClient && { verifyClient }),
      noServer: true,
      handleProtocols: (_offers, request) => this.#protocolOf(request),
    });
    webSockets.on('headers', (lines, request) => {
      const added = UpgradeTransport.of(request)?.headers;
      if (added !== undefined && added.length > 0) lines.push(...added);
    });
    return webSockets;
  }

  /** Takes an upgrade, unless somebody else has answered it, or another endpoint is about to. */
  handle(request: HandshakeRequest, claim: SocketClaim, head: Buffer, isFresh: boolean): void {
    if (isFresh ? claim.isEnded : claim.isAnswered || UpgradeTransport.of(request) !== undefined) this.taken(claim);
    else if (isOpeningHandshake(request)) this.#open(new UpgradeTransport(this, request, claim, head), request);
    else this.webSockets.handleUpgrade(request, claim.socket, head, (socket) => socket.terminate());
  }

  #open(transport: UpgradeTransport, request: HandshakeRequest): void {
    const { runtime, registry } = this.#owner;
    try {
      const offered = request.headers['sec-websocket-protocol'];
      const protocol = offered === undefined ? false : agreeOnProtocol(request, runtime.credentials.sources, this.#options);
      if (protocol === undefined) {
        this.#refuse(transport, 'ERR_SUBPROTOCOL_REFUSED', request);
        return;
      }
      transport.protocol = protocol;
      Connecting.open(runtime, registry, transport, request);
    } catch (error) {
      runtime.reporter.error(error); // a handleProtocols of the application threw
      this.#refuse(transport, 'ERR_HANDLER_FAILED', request);
    }
  }

  #refuse(transport: UpgradeTransport, code: ErrorCode, request: HandshakeRequest): void {
    const { outcomes, lifecycle } = this.#owner.runtime;
    lifecycle.turnedAway(code, outcomes[code], transport.refusesBy, request);
    transport.refuse(outcomes[code]);
  }

  /** Without a path, upgrades that others answer with a socket are theirs, as meant; what others end is meant by nobody. */
  taken(claim: SocketClaim): void {
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

/** `protocol`, unless it is a token, were its prefix in another case: `false` then, and nothing is echoed. */
function withoutToken(protocol: string | false, credentials: readonly CredentialSource[]): string | false {
  const lower = protocol === false ? '' : protocol.toLowerCase();
  const isToken = credentials.some(({ carrier, name }) => carrier === 'subprotocol' && lower.startsWith(String(name).toLowerCase()));
  return isToken ? false : protocol;
}

/**
 * The agreed subprotocol, never a token; `false` where there is none, `undefined` where tokens are all that was offered: a client that gets
 * none of its offers must fail the connection (RFC 6455, section 4.1), and a token must not be echoed.
 */
function agreeOnProtocol(
  request: IncomingMessage,
  credentials: readonly CredentialSource[],
  options: UpgradeOptions,
): string | false | undefined {
  const all = offeredSubprotocols(request);
  const offers = all.filter((offer) => withoutToken(offer, credentials) !== false);
  if (offers.length === 0) return all.length === 0 ? false : undefined;
  const { protocols, ws } = options;
  if (protocols !== undefined) return offers.find((offer) => protocols.includes(offer)) ?? false;
  if (ws?.handleProtocols === undefined) return offers[0] ?? false;
  const chosen: unknown = ws.handleProtocols(new Set(offers), request);
  if (isThenable(chosen)) {
    ignore(chosen); // nobody else would hear of its rejection
    throw new TypeError('handleUpgrades: ws.handleProtocols must return a subprotocol or false at once, got a promise');
  }
  return typeof chosen === 'string' && offers.includes(chosen) ? chosen : false;
}

const foreignToBase64 = /[^+/0-9A-Za-z]/;

/** Whether `key` is 16 bytes in base64. */
function isNonce(key: string): boolean {
  return key.length === 24 && key[22] === '=' && key[23] === '=' && !foreignToBase64.test(key.slice(0, 22));
}

/**
 * Whether `request` is an opening handshake at all (RFC 6455, section 4.2.1), judged as ws does: what is none must not reach a connect
 * handler, and ws answers it.
 */
function isOpeningHandshake(request: IncomingMessage): boolean {
  const { headers, method } = request;
  const { upgrade } = headers;
  return (
    method === 'GET' &&
    (upgrade === 'websocket' || upgrade?.toLowerCase() === 'websocket') &&
    isNonce(headers['sec-websocket-key'] ?? '') &&
    isVersion(headers['sec-websocket-version']) &&
    areOffers(headers['sec-websocket-protocol'])
  );
}

function isVersion(header: string | undefined): boolean {
  if (header === '13') return true; // as all clients write it
  const version = Number(header);
  return version === 13 || version === 8;
}

/** Whether each subprotocol that `header` offers is one, and is offered once. */
function areOffers(header: string | undefined): boolean {
  if (header === undefined) return true;
  const offers = header.split(',').map((offer) => offer.trim()); // an empty one is malformed
  return offers.every((offer) => httpToken.test(offer)) && new Set(offers).size === offers.length;
}
