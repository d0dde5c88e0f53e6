import { type ChannelMessage, ChannelReceiveMessage } from '../src/channel/channel-message.js';
import { defineBuiltIn, giveSession } from '../src/channel/define-built-in.js';
import { beginRequest, endRequest, requestUnderway } from '../src/channel/requests-underway.js';
import { tellClient } from '../src/channel/tell-client.js';
import { anInteger, checkedOptions, type Rules } from '../src/checked-options.js';
import { ChannelError, ClientError } from '../src/errors.js';
import type { HasChannelSession, HasRequestId, ReceiveMessage } from '../src/messages.js';
import type { Configurable } from '../src/wrapping/wrapper.js';

/** Options of {@link withRequestId}. */
export interface RequestIdOptions {
  /** How many answers the channel session remembers: an older number is handled again. An integer from 1 to 1,000. @default 64 */
  readonly remember?: number | undefined;
  /**
   * How many bytes these answers may have together. The oldest go first; an answer longer than this is not remembered. An integer from 0 to
   * 1,048,576.
   *
   * @default 65,536
   */
  readonly maxRememberedBytes?: number | undefined;
}

const rules: Rules<RequestIdOptions> = { remember: anInteger(1, 1_000), maxRememberedBytes: anInteger(0, 1_048_576) };

/** Where the channel session keeps the answers: number, answer, number, answer, oldest first. */
const key = 'ws-with.answers';
type Answers = readonly string[];

/** The session as this wrapper alone sees it: its key is none of the application's. */
interface AnswerSession {
  get(name: typeof key): unknown;
  update(name: typeof key, change: (stored: unknown) => Answers): void;
}

/** Printable ASCII, as long as a number or a UUID with a prefix may be. */
const validId = /^[\x21-\x7e]{1,128}$/;

/** Thrown to the wrapper itself where the handler is not to be called: the answer has been sent. */
const answered: unique symbol = Symbol('answered');

/**
 * Answers numbered messages, and handles each number once. The handler gets the `requestId` of a message `{ …, "requestId": "…" }`. When
 * its changes of the session are saved, the client gets what it returned or resolved to, as `{ requestId, result }`. A `ClientError` is
 * answered with `{ requestId, error, … }`.
 *
 * The channel session remembers the last answers, in the same save as the handler's changes. A number that comes again is answered from
 * there, and the handler is not called. So a client may repeat a message that was not answered, as `request` of `ws-with/client` does; with
 * a session of scope `client` or `user` also on a new connection.
 *
 * A message without a number is handled as usual, and its handler's result is not sent. `{ "ping": true, "requestId" }` is answered with
 * `"pong"` at once.
 *
 * Includes `withChannelSession` and `withClientErrors`. Put it outermost, except for wrappers that end the channel: what others tell the
 * client then carries the number.
 */
export const withRequestId: Configurable<RequestIdOptions, HasRequestId & HasChannelSession, ReceiveMessage> = defineBuiltIn(
  'withRequestId',
  {
    prepare: (given: RequestIdOptions | undefined, name) => {
      const { remember = 64, maxRememberedBytes = 65_536 } = checkedOptions(name, given, rules);
      return { remember, maxRememberedBytes };
    },
    requires: () => [{ kind: 'session', options: {} }],
    before(message, _options, name) {
      if (message.hasRequestId) return undefined;
      if (!(message instanceof ChannelReceiveMessage)) {
        throw new TypeError(`${name}: a ${message.kind} message has no number; wrap a receive handler in it`);
      }
      const { id, isPing } = numberingOf(message);
      message.requestId = id;
      if (isPing) answerInstead(message, answerOf(id as string, 'pong'));
      const loading = giveSession(message);
      if (id === undefined) return loading;
      return loading === undefined ? begin(message, id) : loading.then(() => begin(message, id));
    },
    after(result, message, { remember, maxRememberedBytes }) {
      const id = message.requestId;
      if (id === undefined || message.isClientTold) return result;
      const text = answerOf(id, result);
      sessionOf(message).update(key, (stored) => {
        const answers = answersIn(stored);
        if (answerIn(answers, id) !== undefined) {
          const reason =
            'A numbered message was handled on another node meanwhile; what this one changed is dropped, and the answer is there.';
          throw new ChannelError('ERR_SESSION_CONFLICT', reason);
        }
        return kept([...answers, id, text], 2 * remember, maxRememberedBytes);
      });
      message.clientIsTold();
      message.onSuccess(() => {
        endRequest(message, id);
        message.channel.send(text);
      });
      return undefined;
    },
    failed(error, message) {
      if (error === answered) return undefined;
      if (message.hasRequestId && message.requestId !== undefined) endRequest(message, message.requestId);
      return tellClient(error, message);
    },
  },
);

/** The number of a message, and whether it asks for no more than a sign of life. */
interface Numbering {
  readonly id: string | undefined;
  readonly isPing: boolean;
}

const unnumbered: Numbering = { id: undefined, isPing: false };

function numberingOf(message: ChannelReceiveMessage): Numbering {
  // most messages have none, and need not be parsed
  if (message.isBinary || !message.text.includes('"requestId"')) return unnumbered;
  let json: unknown;
  try {
    json = message.json();
  } catch {
    return unnumbered; // other wrappers tell the client
  }
  if (typeof json !== 'object' || json === null || !Object.hasOwn(json, 'requestId')) return unnumbered;
  const { requestId: id, ping } = json as { readonly requestId: unknown; readonly ping?: unknown };
  if (typeof id !== 'string' || !validId.test(id)) throw new ClientError('invalid_request_id');
  return { id, isPing: ping === true };
}

/** Answers from what was answered before, or lets the handler run: after the one that is at work under the same number. */
function begin(message: ChannelMessage, id: string): Promise<void> | undefined {
  const underway = requestUnderway(message, id);
  if (underway !== undefined) {
    return underway.settled.then(() => {
      message.refreshDraft();
      return begin(message, id);
    });
  }
  const answer = answerIn(answersIn(sessionOf(message).get(key)), id);
  if (answer !== undefined) answerInstead(message, answer);
  beginRequest(message, id);
  return undefined;
}

/** Sends `text` in place of what the handler would answer, which is not called. */
function answerInstead(message: ChannelMessage, text: string): never {
  message.channel.send(text);
  throw answered;
}

function answerOf(requestId: string, result: unknown): string {
  try {
    return JSON.stringify({ requestId, result });
  } catch (cause) {
    throw new TypeError('withRequestId: what the handler returns must be what JSON can hold', { cause });
  }
}

/** The answers that a session holds; none where another version or program has put something else there. */
function answersIn(stored: unknown): Answers {
  return Array.isArray(stored) && stored.length % 2 === 0 && stored.every((each) => typeof each === 'string') ? stored : [];
}

function answerIn(answers: Answers, id: string): string | undefined {
  for (let index = 0; index < answers.length; index += 2) if (answers[index] === id) return answers[index + 1];
  return undefined;
}

/** The last of `answers` that are not too many or too long. */
function kept(answers: Answers, most: number, maxBytes: number): Answers {
  let start = Math.max(0, answers.length - most);
  let bytes = 0;
  for (let index = answers.length - 1; index > start; index -= 2) {
    bytes += Buffer.byteLength(answers[index] as string) + (answers[index - 1] as string).length;
    if (bytes > maxBytes) {
      start = index + 1;
      break;
    }
  }
  return answers.slice(start);
}

function sessionOf(message: ChannelMessage): AnswerSession {
  return message.channelSession as unknown as AnswerSession;
}
