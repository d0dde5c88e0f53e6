import assert from 'node:assert/strict';
import { keyOf, nameOf, unknownKey } from './accounts.js';
import { handshakeWith, maskedFrame, RawConnection, RefusedError } from './load/raw-connection.js';

/** Whether a server does the work at all: the user's name, a count of each connection's own, the text; an unknown key gets 401. */
export async function checkEcho(port: number): Promise<void> {
  for (const account of [3, 4]) {
    const answers = await firstAnswers(port, account, 3);
    const expected = [1, 2, 3].map((count) => ({ user: nameOf(account), count, text: 'hello' }));
    assert.deepEqual(answers, expected);
  }
  await checkRefusal(port);
}

/** Whether a server refuses an unknown key with 401. */
export async function checkRefusal(port: number): Promise<void> {
  await assert.rejects(RawConnection.open(port, handshakeWith(unknownKey)), (error) => {
    assert.ok(error instanceof RefusedError);
    assert.equal(error.status, 401);
    return true;
  });
}

async function firstAnswers(port: number, account: number, count: number): Promise<unknown[]> {
  const connection = await RawConnection.open(port, handshakeWith(keyOf(account)));
  const answers: unknown[] = [];
  await new Promise<void>((resolve) => {
    connection.onText = (text) => {
      answers.push(JSON.parse(text));
      if (answers.length === count) resolve();
    };
    const frame = maskedFrame(JSON.stringify({ type: 'say', text: 'hello' }));
    connection.write(Buffer.concat(Array.from({ length: count }, () => frame)));
  });
  connection.drop();
  return answers;
}
