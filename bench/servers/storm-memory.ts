// No database at all: as fast as it gets.
import { serveWrapped } from './storm-wrapped.js';
import { tokensInMemory } from './tokens-in-memory.js';

serveWrapped(tokensInMemory());
