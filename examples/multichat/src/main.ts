import { demoUsers } from './accounts.js';
import { memoryBackend } from './backend.js';
import { mongoBackend } from './mongo-backend.js';
import { startMultiChat } from './multichat.js';
import { type Options, readOptions, usage } from './options.js';

const { mongodbUrl, ...options } = given();
const backend = mongodbUrl === undefined ? memoryBackend : mongoBackend(mongodbUrl);
const chat = await startMultiChat({ ...options, backend }).catch((error: NodeJS.ErrnoException) => {
  if (error.code !== 'EADDRINUSE') end(1, `MultiChat could not start. ${error}`);
  end(1, `Port ${options.port} is taken. Choose another one: PORT=0 takes a free one.`);
});
console.log(`MultiChat is on ${chat.url}`);
console.log(`Everything is kept in ${mongodbUrl === undefined ? 'memory, and gone with this process' : 'MongoDB'}.`);
console.log(`Members are recognized by ${options.auth === 'token' ? 'a token' : 'an HTTP session'}. Log in as (name / password):`);
for (const { member, password } of demoUsers) console.log(`  ${member.name} / ${password}${member.staff ? ' (staff)' : ''}`);

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void chat.close());

/** What the command line asks for; without a chat to start, it ends here. */
function given(): Options {
  try {
    const read = readOptions(process.argv.slice(2), process.env);
    return read === 'help' ? end(0, usage) : read;
  } catch (error) {
    return end(2, `${(error as Error).message}\n\n${usage}`);
  }
}

function end(code: number, text: string): never {
  console[code === 0 ? 'log' : 'error'](text);
  process.exit(code);
}
