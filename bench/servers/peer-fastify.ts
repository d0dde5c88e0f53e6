// The same work with @fastify/websocket: a hook refuses, and the route's handler gets the socket.
import websocket from '@fastify/websocket';
import fastify, { type FastifyRequest } from 'fastify';
import type { BenchUser } from '../accounts.js';
import { serve } from './serve.js';
import { userOfCookie } from './users-by-digest.js';

const users = new WeakMap<FastifyRequest, BenchUser>();
const app = fastify();
await app.register(websocket, { options: { clientTracking: false } });
app.get(
  '/',
  {
    websocket: true,
    preValidation: async (request, reply) => {
      const user = await userOfCookie(request.headers.cookie);
      if (user === undefined) await reply.code(401).send();
      else users.set(request, user);
    },
  },
  (socket, request) => {
    const user = users.get(request) as BenchUser;
    let count = 0;
    socket.on('message', (data) => {
      const { text } = JSON.parse(data.toString()) as { text: string };
      count += 1;
      socket.send(JSON.stringify({ user: user.name, count, text }));
    });
  },
);
await app.ready();
serve(app.server);
