// Plain ws once more, with tokens as ws-with keeps them: found by their digest, in a repository that is awaited.
import { tokenIdOf } from 'ws-with';
import { echo, serveByHand } from './by-hand.js';
import { tokensInMemory } from './tokens-in-memory.js';

const tokens = tokensInMemory();

serveByHand({
  find: async (key) => (await tokens.findById(tokenIdOf(key)))?.user,
  serveUser: (socket, user) => echo(socket, user, (text) => socket.send(text)),
});
