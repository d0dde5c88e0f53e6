import { demoUsers } from './accounts.js';
import { startMultiChat } from './multichat.js';
import { readOptions } from './options.js';

const options = readOptions(process.argv.slice(2), process.env);
const chat = await startMultiChat(options);
console.log(`MultiChat is on ${chat.url}`);
console.log(`Members are recognized by ${options.auth === 'token' ? 'a token' : 'an HTTP session'}. Log in as (name / password):`);
for (const { member, password } of demoUsers) console.log(`  ${member.name} / ${password}${member.staff ? ' (staff)' : ''}`);

let ending = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    if (ending) return;
    ending = true;
    void chat.close();
  });
}
