// Tokens and users in MongoDB, as one writes it by hand on plain ws: two queries per handshake, one after the other.
import { tokenIdOf } from 'ws-with';
import { serveByHand } from './by-hand.js';
import { openDatabase } from './database.js';

const db = await openDatabase();
const tokens = db.collection<{ _id: string; userId: string }>('tokens');
const users = db.collection<{ _id: string; name: string }>('users');

serveByHand({
  async find(key) {
    const token = await tokens.findOne({ _id: tokenIdOf(key) });
    const user = token && (await users.findOne({ _id: token.userId }));
    return user ? { id: user._id, isAuthenticated: true, name: user.name } : undefined;
  },
  serveUser: (socket, user) => socket.send(JSON.stringify({ user: user.name })),
});
