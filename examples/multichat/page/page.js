import { ChatRoom } from './chat-room.js';
import { endText, interruptionText } from './closings.js';
import { Composer } from './composer.js';
import { Connection } from './connection.js';
import { Conversation } from './conversation.js';
import { Devices } from './devices.js';
import { avatar, element } from './elements.js';
import { RoomList } from './room-list.js';

const byId = (id) => document.getElementById(id);
const rooms = new Map();
let you;
/** The room on the screen, and the one that will be once the server lets us in. */
let open;
let wanted = location.hash.slice(1) || sessionStorage.getItem('multichat:room') || undefined;
/** This page has sent the log-out: what it answers must not be cut off by going elsewhere. */
let isLoggingOut = false;
/** The log-in has ended: what says so stays. */
let isOver = false;

const connection = new Connection(new URL('/chat', location.href.replace(/^http/, 'ws')));
const devices = new Devices(byId('devices'));
const composer = new Composer(byId('composer'), connection);
const roomList = new RoomList(byId('rooms'), choose);
const conversation = new Conversation({
  name: byId('room-name'),
  about: byId('room-about'),
  log: byId('log'),
  entries: byId('entries'),
  newest: byId('newest'),
  people: byId('people'),
  count: byId('people-count'),
  typing: byId('typing'),
});

const stateTexts = {
  connecting: 'Connecting…',
  open: 'Connected',
  ended: 'Logged out',
};

connection.addEventListener('state', ({ detail: { state, reason } }) => {
  byId('state').dataset.state = state;
  byId('state-text').textContent = stateTexts[state] ?? interruptionText(reason);
  byId('try-now').hidden = state !== 'waiting';
  composer.setOnline(state === 'open');
  if (state === 'ended' && !isLoggingOut) showEnd(reason);
});

const on = {
  welcome({ you: person, rooms: summaries, joined }) {
    you = person;
    byId('me').replaceChildren(avatar(you), element('span', { class: 'name' }, you.name));
    for (const summary of summaries) if (!rooms.has(summary.id)) rooms.set(summary.id, new ChatRoom(summary, you));
    for (const room of rooms.values()) room.leave();
    for (const { room, people } of joined) enter(rooms.get(room), people);
    if (open !== undefined && !open.joined) show(undefined);
    const next = rooms.get(wanted) ?? open;
    if (next?.joined && next !== open) show(next);
    else if (next?.joined) conversation.showPeople(next);
    wanted = undefined;
  },
  joined({ room: id, people }) {
    const room = rooms.get(id);
    const isNew = !room.joined;
    enter(room, people);
    if (isNew) room.addNotice('You came in', new Date().toISOString());
    if (wanted === id) {
      wanted = undefined;
      show(room);
      focusConversation();
    } else if (room === open) conversation.showPeople(room);
  },
  left({ room: id }) {
    const room = rooms.get(id);
    room.leave();
    if (room !== open) return;
    show(undefined);
    roomList.focus(id);
  },
  history({ room: id, messages }) {
    const room = rooms.get(id);
    const hasMore = room.addHistory(messages);
    room.markReadAtFirst();
    if (hasMore && room === open) show(room);
  },
  enter({ room: id, user, at }) {
    const room = rooms.get(id);
    room.people.set(user.id, user);
    noteIn(room, `${user.name} came in`, at);
  },
  leave({ room: id, user, at }) {
    const room = rooms.get(id);
    room.people.delete(user.id);
    room.stopTyping(user.id);
    noteIn(room, `${user.name} left`, at);
  },
  typing({ room: id, user }) {
    const room = rooms.get(id);
    const showTyping = () => room === open && conversation.showTyping(room);
    room.startTyping(user, showTyping);
    showTyping();
  },
  message(message) {
    const room = rooms.get(message.room);
    if (message.from.id === you.id) composer.arrived(message);
    if (!room.addMessage(message) || room !== open) return;
    conversation.add(message);
    conversation.showTyping(room);
    if (document.visibilityState === 'visible') room.markRead();
  },
};

connection.addEventListener('event', ({ detail }) => {
  if (detail.error === undefined) on[detail.event]?.(detail);
  else showProblem(detail);
  showRooms();
});

/** A room was clicked: it is opened, after joining it where need be. */
function choose(id) {
  const room = rooms.get(id);
  clearProblem();
  if (room.joined) {
    show(room);
    focusConversation();
  } else if (connection.send({ command: 'join', room: id })) {
    wanted = id;
  }
  showRooms();
}

function enter(room, people) {
  room.setPeople(people);
  connection.send({ command: 'history', room: room.id });
}

function show(room) {
  open = room;
  byId('nowhere').hidden = room !== undefined;
  byId('room').hidden = room === undefined;
  composer.switchTo(room);
  if (room !== undefined) sessionStorage.setItem('multichat:room', room.id);
  history.replaceState(null, '', room === undefined ? location.pathname : `#${room.id}`);
  if (room === undefined) return;
  conversation.show(room, you);
  if (document.visibilityState === 'visible') room.markRead();
}

function showRooms() {
  roomList.show(rooms.values(), open?.id);
  const unread = [...rooms.values()].reduce((sum, room) => sum + (room.joined ? room.unread : 0), 0);
  document.title = `${unread > 0 ? `(${unread}) ` : ''}${open === undefined ? '' : `${open.name} – `}MultiChat`;
}

/** Where there is a keyboard, writing can begin; on a touch screen the keyboard would only cover the room. */
function focusConversation() {
  if (matchMedia('(pointer: coarse)').matches) byId('room-name').focus();
  else composer.focus();
}

function noteIn(room, text, at) {
  const entry = room.addNotice(text, at);
  if (room !== open) return;
  conversation.add(entry);
  conversation.showPeople(room);
  conversation.showTyping(room);
}

function showProblem({ error, room: id }) {
  wanted = undefined;
  const name = rooms.get(id)?.name ?? 'room';
  const texts = {
    staff_only: `The ${name} is for staff only, so you cannot come in. Your other rooms are as they were.`,
    unknown_room: 'There is no such room.',
    not_in_room: `You are not in the ${name} any more. Join it again to write there.`,
  };
  const dismiss = element('button', { type: 'button', class: 'quiet' }, 'Dismiss');
  dismiss.addEventListener('click', clearProblem);
  byId('notice').replaceChildren(element('p', {}, texts[error] ?? 'That did not work. Please try again.'), dismiss);
}

/** The page stays as it is, so that what is half written can be read; the log-in that follows brings it back. */
function showEnd(reason) {
  isOver = true;
  devices.close();
  // The cookie is of no use any more, so this shows the log-in.
  const logIn = element('a', { href: '/' }, 'Log in again');
  const kept = [...rooms.values()].some(({ draft }) => draft !== '') ? ' What you were writing is kept.' : '';
  byId('notice').replaceChildren(element('p', {}, `${endText(reason)}${kept}`), logIn);
  for (const id of ['leave', 'open-devices', 'log-out']) byId(id).hidden = true;
}

function clearProblem() {
  if (!isOver) byId('notice').replaceChildren();
}

byId('leave').addEventListener('click', () => open !== undefined && connection.send({ command: 'leave', room: open.id }));
for (const id of ['log-out', 'log-out-everywhere']) {
  byId(id).addEventListener('submit', () => {
    isLoggingOut = true;
    sessionStorage.clear(); // nothing is left for whoever sits here next
  });
}
byId('open-devices').addEventListener('click', () => void devices.open());
byId('try-now').addEventListener('click', () => connection.retry());
document.addEventListener('visibilitychange', () => {
  if (document.visibilityState !== 'visible' || open === undefined) return;
  open.markRead();
  showRooms();
});
// Another tab has read something.
addEventListener('storage', () => you !== undefined && showRooms());
byId('people-details').open = matchMedia('(min-width: 60rem)').matches;

connection.open();
