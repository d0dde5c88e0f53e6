import { WebSocket } from 'ws';

const [port, key] = process.argv.slice(2);
const socket = new WebSocket(`ws://127.0.0.1:${port}/`, { headers: { cookie: `key=${key}` } });
socket.on('open', () => socket.send('who am I?'));
socket.on('message', (data) => {
  console.log(String(data));
  socket.close();
});
socket.on('close', (code) => console.log(`closed with ${code}`));
