import assert from 'node:assert/strict';
import { keyOf, nameOf, unknownKey } from './accounts.js';
import { type Dialect, handshakeIn, join, plain, socketIo } from './load/dialect.js';
import { maskedFrame, RefusedError } from './load/raw-connection.js';

/** Whether a server does the work at all: the user's name, a count of each connection's own, the text; an unknown key is refused. */
export async function checkEcho(port: number, dialect: Dialect): Promise<void> {
  for (const account of [3, 4]) {
    const answers = await firstAnswers(port, account, 3, dialect);
    const expected = [1, 2, 3].map((count) => ({ user: nameOf(account), count, text: 'hello' }));
    assert.deepEqual(answers, expected);
  }
  await checkRefusal(port, dialect);
}

/** Whether a server refuses an unknown key with 401, or 400, which is all that Socket.IO has. */
export async function checkRefusal(port: number, dialect: Dialect = plain): Promise<void> {
  await assert.rejects(join(port, handshakeIn(dialect, unknownKey), dialect), (error) => {
    assert.ok(error instanceof RefusedError);
    assert.equal(error.status, dialect === socketIo ? 400 : 401);
    return true;
  });
}

async function firstAnswers(port: number, account: number, count: number, dialect: Dialect): Promise<unknown[]> {
  const connection = await join(port, handshakeIn(dialect, keyOf(account)), dialect);
  const answers: unknown[] = [];
  await new Promise<void>((resolve) => {
    connection.onText = (text) => {
      answers.push(JSON.parse(dialect.unwrap(text)));
      if (answers.length === count) resolve();
    };
    const frame = maskedFrame(dialect.wrap(JSON.stringify({ type: 'say', text: 'hello' })));
    connection.write(Buffer.concat(Array.from({ length: count }, () => frame)));
  });
  connection.drop();
  return answers;
}
