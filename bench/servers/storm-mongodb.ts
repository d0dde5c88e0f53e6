// Tokens and users in MongoDB, as the package looks them up.
import { MongoTokenRepository } from 'ws-with/mongodb';
import type { BenchUser } from '../accounts.js';
import { openDatabase } from './database.js';
import { serveStorm } from './storm-wrapped.js';

const tokens = new MongoTokenRepository<BenchUser>(await openDatabase());
// When tokens were last used is written down every few seconds: not while another server is measured.
serveStorm(tokens, () => tokens.flush());
