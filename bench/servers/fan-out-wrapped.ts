// The same room as a group.
import { Groups } from 'ws-with';
import { serveRoom } from './room.js';

serveRoom(new Groups());
