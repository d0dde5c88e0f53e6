// Tells how many bytes a message takes, where a full garbage collection has come after the first few and found none of them.
import { ChannelReceiveMessage } from '../../dist/src/channel/channel-message.js';
import { keepShapes } from '../../dist/src/channel/kept-shapes.js';

const count = 2_000;
const data = Buffer.from('x');
const messages = new Array(count);

function fill(end) {
  for (let index = 0; index < end; index += 1) messages[index] = new ChannelReceiveMessage({}, data, false);
}

/** By how much the heap grows for each of them; below zero where garbage is collected meanwhile. */
function growth() {
  const before = process.memoryUsage().heapUsed;
  fill(count);
  return (process.memoryUsage().heapUsed - before) / count;
}

keepShapes();
fill(Number(process.argv[2]));
messages.fill(undefined);
globalThis.gc();
const grown = Array.from({ length: 31 }, growth).sort((a, b) => a - b);
console.log(grown[15]);
