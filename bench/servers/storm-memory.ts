// No database at all: as fast as it gets.
import { serveStorm } from './storm-wrapped.js';
import { tokensInMemory } from './tokens-in-memory.js';

serveStorm(tokensInMemory());
