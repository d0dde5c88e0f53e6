import { inspect } from 'node:util';
import type { Authentication } from '../authentication.js';
import type { HttpSession } from '../contracts/http-session-reader.js';
import { ChannelError, ClientError } from '../errors.js';
import type { BaseMessage, Handshake, HandshakeRequest, ReceiveMessage } from '../messages.js';
import { markCopy } from '../package-copy.js';
import { isWaitedFor, type PendingHandler, pendingSince } from '../pending-handlers.js';
import type { ChannelRecord } from '../session/channel-record.js';
import { SessionDraft } from '../session/session-draft.js';
import type { AnonymousUser, AuthenticatedUser } from '../users.js';
import { checkMayBegin, passedWrappers } from '../wrapping/passed-marks.js';
import { completePrototype } from './complete-prototype.js';
import type { Connection } from './connection.js';
import { isOrderingKnown, numberInChannel } from './inbox.js';
import { tellEnding } from './when-ending.js';

/** Stands where no wrapper has put anything yet; `undefined` is a value of its own. */
const absent: unique symbol = Symbol('absent');

/** One event of a channel, of a fixed shape. Members that wrappers add throw where none added them, rather than be `undefined`. */
export abstract class ChannelMessage implements BaseMessage, PendingHandler {
  abstract readonly kind: BaseMessage['kind'];
  abstract readonly request: HandshakeRequest | Handshake;
  accessor [passedWrappers] = 0;
  readonly #channel: Connection;
  #hasSession = false;
  #draft: SessionDraft | undefined;
  #isOver = false;
  #user: AuthenticatedUser | AnonymousUser | typeof absent = absent;
  #httpSession: HttpSession | undefined | typeof absent = absent;
  #body: unknown = absent;
  #requestId: string | undefined | typeof absent = absent;
  #isClientTold = false;
  accessor [pendingSince] = 0;
  accessor [isWaitedFor] = false;
  #isAbandoned = false;
  #successSteps: (() => void | Promise<void>)[] | undefined;
  #lastStep: (() => void) | undefined;

  constructor(channel: Connection) {
    this.#channel = channel;
  }

  /** Throws where its handler may not begin any more, after a wrapper has waited. */
  [checkMayBegin](): void {}

  get channel(): Connection {
    return this.#channel;
  }

  get signal(): AbortSignal {
    return this.#channel.signal;
  }

  get authentication(): Authentication | undefined {
    return this.#channel.identity.authentication;
  }

  get user(): AuthenticatedUser | AnonymousUser {
    if (this.#user === absent) throw missing('user', 'withUserFromToken, withUserFromHttp, withUserFrom or withChannelUser');
    return this.#user;
  }

  set user(user: AuthenticatedUser | AnonymousUser) {
    this.#user = user;
  }

  /** This message's view of the session, made at its first use: an untouched session costs nothing. */
  get channelSession(): SessionDraft {
    return this.#draft ?? this.#makeDraft();
  }

  #makeDraft(): SessionDraft {
    const { record } = this.#channel.session;
    if (!this.#hasSession || record === undefined) throw missing('channelSession', 'withChannelSession');
    this.#draft = this.draftOf(record);
    if (this.#isOver) this.#draft.seal();
    return this.#draft;
  }

  protected draftOf(record: ChannelRecord): SessionDraft {
    return new SessionDraft(record);
  }

  get httpSession(): HttpSession | undefined {
    if (this.#httpSession === absent) throw missing('httpSession', 'withHttpSession');
    return this.#httpSession;
  }

  set httpSession(session: HttpSession | undefined) {
    this.#httpSession = session;
  }

  get body(): unknown {
    if (this.#body === absent) throw missing('body', 'withJson');
    return this.#body;
  }

  set body(body: unknown) {
    this.#body = body;
  }

  get requestId(): string | undefined {
    if (this.#requestId === absent) throw missing('requestId', 'withRequestId');
    return this.#requestId;
  }

  set requestId(id: string | undefined) {
    this.#requestId = id;
  }

  /** Whether a wrapper looked for a number already. */
  get hasRequestId(): boolean {
    return this.#requestId !== absent;
  }

  /** Whether the client was told what came of it: the answer to its number, or an error. */
  get isClientTold(): boolean {
    return this.#isClientTold;
  }

  clientIsTold(): void {
    this.#isClientTold = true;
  }

  /** Whether a wrapper opened the session already. */
  get hasSession(): boolean {
    return this.#hasSession;
  }

  /** The channel's session is open: {@link channelSession} gives it. */
  putSession(): void {
    this.#hasSession = true;
  }

  /** Whether a wrapper gave a user already. */
  get hasUser(): boolean {
    return this.#user !== absent;
  }

  /** Whether a wrapper read the HTTP session already. */
  get hasHttpSession(): boolean {
    return this.#httpSession !== absent;
  }

  /** Whether a wrapper parsed a body already. */
  get hasBody(): boolean {
    return this.#body !== absent;
  }

  /** Does `step` once the handler has succeeded and the session is saved. */
  onSuccess(step: () => void | Promise<void>): void {
    this.#successSteps ??= [];
    this.#successSteps.push(step);
  }

  /** Does `step` once the handler is done and did not throw: after all others, and also where it told the client of an error. */
  onHandled(step: () => void): void {
    this.#lastStep = step;
  }

  /** The message is over: its session takes no change any more, whoever goes on after it. */
  seal(): void {
    this.#isOver = true;
    this.#draft?.seal();
  }

  /** Whether its handler is waited for no longer: whatever comes of it counts no more. */
  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  outlasted(ms: number): void {
    this.#channel.outlasted(this, ms);
  }

  abandon(): void {
    this.#isAbandoned = true;
    this.seal();
    tellEnding(this);
    this.#channel.abandoned(this);
  }

  /** The handler did not succeed: what it changed is dropped, and no step of {@link onSuccess} is done. */
  discard(): void {
    this.#draft?.discard();
    this.#successSteps = undefined;
  }

  /** Drops what the handler changed in the session, which is then seen as it was committed last. */
  discardDraft(): void {
    this.#draft?.discard();
  }

  /** Sees the session as it was committed last, unless the handler has changed it. */
  refreshDraft(): void {
    if (this.#draft?.isChanged === false) this.#draft.discard();
  }

  /**
   * The handler has succeeded: saves what it changed, then does what wrappers want done. `undefined` where there is nothing to wait for.
   *
   * @throws {ChannelError} (as a rejection) when the changes cannot be saved.
   */
  commit(): Promise<void> | undefined {
    const draft = this.#draft;
    const saving = draft === undefined ? undefined : this.#channel.session.record?.commit(draft, this.#channel);
    this.seal();
    return this.#successSteps === undefined && this.#lastStep === undefined ? saving : this.#doSteps(saving);
  }

  async #doSteps(saving: Promise<void> | undefined): Promise<void> {
    await saving;
    for (const step of this.#successSteps ?? []) await step();
    this.#lastStep?.();
  }

  toJSON(): object {
    return { kind: this.kind, channel: this.#channel.id };
  }

  [inspect.custom](): string {
    return `${this.kind} message of channel ${this.#channel.id}`;
  }
}

completePrototype('Message', markCopy(ChannelMessage.prototype));

function missing(member: string, wrappers: string): TypeError {
  return new TypeError(`message.${member}: no wrapper further out gave it; wrap the handler, or the wrapper that reads it, in ${wrappers}`);
}

/** A schema that a body has passed, and what came of it. */
export interface BodyCheck {
  readonly schema: object;
  readonly output: unknown;
}

/** The client has sent a message. */
export class ChannelReceiveMessage extends ChannelMessage implements Pick<ReceiveMessage, 'kind' | 'data' | 'text' | 'isBinary' | 'json'> {
  readonly data: Buffer;
  readonly isBinary: boolean;
  accessor [numberInChannel] = 0;
  accessor [isOrderingKnown] = false;
  #bodyChecks: BodyCheck[] | undefined;
  #text: string | undefined;

  constructor(channel: Connection, data: Buffer, isBinary: boolean) {
    super(channel);
    this.data = data;
    this.isBinary = isBinary;
  }

  get kind(): 'receive' {
    return 'receive';
  }

  /** What is cut off is not begun: neither a message that waits in the queue, nor one that waits in a wrapper. */
  override [checkMayBegin](): void {
    if (this.channel.isCutOff)
      throw new ChannelError('ERR_CHANNEL_CLOSED', 'The channel was ended before the handler of its message began.');
  }

  get request(): Handshake {
    return this.channel.handshake;
  }

  get text(): string {
    this.#text ??= this.data.toString(); // without an encoding to look up
    return this.#text;
  }

  get bodyChecks(): readonly BodyCheck[] {
    return this.#bodyChecks ?? [];
  }

  bodyPassed(check: BodyCheck): void {
    this.#bodyChecks ??= [];
    this.#bodyChecks.push(check);
  }

  json(): unknown {
    try {
      return JSON.parse(this.text);
    } catch {
      throw new ClientError('invalid_json');
    }
  }
}

completePrototype('Message', ChannelReceiveMessage.prototype);
