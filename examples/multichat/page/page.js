import { connectChannel } from '/ws-with/entries/client.js';
import { ChatRoom } from './chat-room.js';
import { Composer } from './composer.js';
import { ConnectionPanel } from './connection-panel.js';
import { Conversation } from './conversation.js';
import { Devices } from './devices.js';
import { avatar, button, byId, element } from './elements.js';
import { Outbox } from './outbox.js';
import { RoomList } from './room-list.js';
import { endText, problemText, stateText } from './texts.js';

const rooms = new Map();
let channel;
let you;
let outbox;
let notices;
/** How the connection was lost, until there is one again. */
let lost;
/** The room on the screen, and the one that will be once the server lets us in. */
let open;
let wanted = inAddress() || sessionStorage.getItem('multichat:room');
/** This page has sent the log-out: what it answers must not be cut off by going elsewhere. */
let isLoggingOut = false;
/** The log-in has ended: what says so stays. */
let isOver = false;

const send = (command) => channel.sendJson(command);
const conversationOrMain = () => byId(open === undefined ? 'main' : 'log');
const devices = new Devices();
const panel = new ConnectionPanel();
const composer = new Composer({
  onSend(room, text) {
    outbox.add(room.id, text);
    conversation.follow();
  },
  onTyping: (room) => send({ command: 'typing', room: room.id }),
});
const roomList = new RoomList(choose);
const conversation = new Conversation((edge) => open.load(edge));

/** Connects, and follows how that goes until it is over. */
async function connect() {
  channel = connectChannel('/chat', {
    // The cookie is the credential: a log-in that has ended is not to be renewed, but may have been followed by another one.
    renew: (_, signal) => fetch('/me', { cache: 'no-store', signal }),
    onMessage: (data) => keepingFocus(() => received(JSON.parse(data))),
    onClose: (closing) => panel.update({ closing: { ...closing, at: new Date().toISOString() } }),
    minDelayMs: 500,
    maxDelayMs: 15_000,
    pingMs: 10_000,
  });
  const following = channel;
  for await (const state of following.states) if (following === channel) keepingFocus(() => showState(state));
}

function showState(state) {
  lost = state.name === 'open' ? undefined : (lost ?? state.closing);
  const text = stateText(state.name, lost);
  panel.update({ state: text });
  byId('state').dataset.state = state.name;
  if (byId('state-text').textContent !== text) byId('state-text').textContent = text;
  if (state.name === 'stopped' && !isLoggingOut && !isOver) void stopped(state);
}

/** What is done for each event; `room` is the one that it is about. */
const on = {
  welcome({ you: person, connection, rooms: summaries, joined, notices: when }) {
    if (you !== undefined && you.id !== person.id) return showSomebodyElse(person);
    notices = when;
    panel.update({ connection });
    if (you === undefined) begin(person, summaries);
    const now = new Map(joined.map((room) => [room.room, room]));
    for (const room of rooms.values()) {
      if (now.has(room.id)) room.enter(now.get(room.id));
      else room.leave();
    }
    if (open !== undefined && !open.joined) show(undefined);
    if (wanted) goTo(wanted);
    wanted = undefined;
    void outbox.run();
  },
  joined(now, room) {
    room.enter(now);
    if (wanted === room.id) choose(room.id);
  },
  left(_, room) {
    room.leave();
    if (room !== open) return;
    show(undefined);
    roomList.focus(room.id);
  },
  moved({ isIn }, room) {
    if (room.joined !== isIn) send({ command: isIn ? 'join' : 'leave', room: room.id, follows: true });
  },
  people(change, room) {
    if (room.joined) room.changePeople(change);
  },
  history(history, room) {
    room.addHistory(history);
  },
  typing({ user }, room) {
    if (user.id !== you.id) room.startTyping(user);
  },
  message(message, room) {
    if (!room.joined) return;
    room.addMessage(message, conversation.looksBack(room));
    if (message.from.id !== you.id) return;
    room.markRead();
    outbox.remove(message.id);
  },
  gap() {
    send({ command: 'sync' });
  },
};

function received(event) {
  // what comes before the welcome is known to it
  if (event.error !== undefined) showProblem(event);
  else if (you !== undefined || event.event === 'welcome') on[event.event]?.(event, rooms.get(event.room));
  changed();
}

/** The first welcome says whose page this is; other tabs are told. */
function begin(person, summaries) {
  you = person;
  localStorage.setItem('multichat:you', JSON.stringify({ ...you, at: Date.now() }));
  byId('me').replaceChildren(avatar(you), element('span', { class: 'name', dir: 'auto', title: you.name }, you.name));
  for (const summary of summaries) rooms.set(summary.id, new ChatRoom(summary, { you, send, changed, notices: () => notices }));
  outbox = new Outbox(`multichat:outbox:${you.id}`, {
    request: (command, options) => channel.request(command, options),
    onSent: (message) => rooms.get(message.room).addMessage({ ...message, from: you }, false),
    onChange: changed,
  });
}

/** A room is wanted: it is opened, after joining it where need be. */
function choose(id) {
  clearProblem();
  wanted = undefined;
  if (!rooms.get(id).joined) {
    if (send({ command: 'join', room: id })) wanted = id;
    return;
  }
  if (inAddress() !== id) history.pushState(null, '', `#${encodeURIComponent(id)}`);
  show(rooms.get(id));
  // Where there is a keyboard, writing can begin; on a touch screen the keyboard would only cover the room.
  if (matchMedia('(pointer: coarse)').matches) byId('room-name').focus();
  else composer.focus();
}

/** The room that the address names, if any. */
function inAddress() {
  const name = location.hash.slice(1);
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** An address names a room: it is opened, or it is offered to join it. */
function goTo(id) {
  const room = rooms.get(id);
  clearProblem();
  if (id === '') show(undefined);
  else if (room === undefined) tell('There is no such room.', dismissal());
  else if (room.joined) show(room);
  else
    tell(
      `You are not in the ${room.name}.`,
      button('Join', () => choose(id)),
    );
}

function show(room) {
  open = room;
  byId('nowhere').hidden = room !== undefined;
  byId('room').hidden = room === undefined;
  composer.switchTo(room);
  if (room !== undefined) sessionStorage.setItem('multichat:room', room.id);
  if (inAddress() !== (room?.id ?? ''))
    history.replaceState(null, '', room === undefined ? location.pathname : `#${encodeURIComponent(room.id)}`);
  conversation.show(room, you, outbox);
  changed();
}

/** Brings the screen up to what is known. */
function changed() {
  if (you === undefined) return;
  if (open !== undefined) {
    conversation.update();
    if (document.visibilityState === 'visible') open.markRead();
  }
  roomList.show(rooms.values(), open?.id);
  const unread = [...rooms.values()].reduce((sum, room) => sum + room.unread, 0);
  document.title = `${unread > 0 ? `(${unread}) ` : ''}${open === undefined ? '' : `${open.name} – `}MultiChat`;
}

/** Does what may take away the element that has the focus, which goes to the conversation then. */
function keepingFocus(change) {
  const before = document.activeElement;
  change();
  const isLost = document.activeElement === before || document.activeElement === document.body;
  if (before !== null && before !== document.body && isLost && !before.checkVisibility())
    conversationOrMain().focus({ preventScroll: true });
}

function tell(text, ...ways) {
  byId('notice').replaceChildren(element('p', {}, text), ...ways);
  byId('notice').scrollIntoView({ block: 'nearest' });
}

function dismissal() {
  return button('Dismiss', () => keepingFocus(clearProblem), { class: 'quiet' });
}

function clearProblem() {
  if (!isOver) byId('notice').replaceChildren();
}

function showProblem({ error, room: id, retryAfterMs }) {
  if (retryAfterMs !== undefined) {
    const asked = wanted;
    setTimeout(() => asked === wanted && tryAgain(), retryAfterMs);
    return;
  }
  const room = rooms.get(id);
  if (error === 'not_in_room') room?.leave();
  else wanted = undefined;
  tell(problemText(error, room?.name ?? 'room'), dismissal());
}

/** What the server could not do: let us into a room, read messages, or say how things are. */
function tryAgain() {
  const waiting = [...rooms.values()].filter(({ isWaiting }) => isWaiting);
  for (const room of waiting) room.askAgain();
  if (wanted !== undefined) choose(wanted);
  else if (waiting.length === 0) send({ command: 'sync' });
}

/** The connection is over for good. In this browser somebody may have logged in meanwhile: the same person goes on, and who it is now is said. */
async function stopped({ why, closing }) {
  const answer = why === 'log-in' ? await fetch('/me', { cache: 'no-store' }).catch(() => undefined) : undefined;
  const person = answer?.ok ? await answer.json() : undefined;
  if (isOver) return; // it was heard meanwhile who has logged in instead
  if (person !== undefined && (you === undefined || person.id === you.id)) void connect();
  else if (person !== undefined) showSomebodyElse(person);
  else if (why === 'log-in') showEnd(endText(closing), element('a', { href: '/' }, 'Log in again'));
  else
    showEnd(
      why === 'failing' ? 'The server has failed too often.' : endText(closing),
      button('Try again', () => location.reload()),
    );
}

function showSomebodyElse({ name }) {
  channel.close();
  showEnd(
    `Somebody logged in as ${name} in this browser, so ${you.name} is logged out here.`,
    element('a', { href: '/' }, `Go on as ${name}`),
  );
}

/** The page stays as it is, so that what is half written can be read; the log-in that follows brings it back. */
function showEnd(text, way) {
  isOver = true;
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
  const isKept = [...rooms.values()].some(({ draft }) => draft !== '') || outbox?.messages.length > 0;
  keepingFocus(() => {
    tell(`${text}${isKept ? ' What you were writing is kept.' : ''}`, way);
    for (const id of ['leave', 'open-devices', 'log-out']) byId(id).hidden = true;
  });
}

byId('leave').addEventListener('click', () => open !== undefined && send({ command: 'leave', room: open.id }));
for (const id of ['log-out', 'log-out-everywhere']) {
  byId(id).addEventListener('submit', () => {
    isLoggingOut = true;
    sessionStorage.clear(); // nothing is left for whoever sits here next
    localStorage.removeItem('multichat:you');
  });
}
byId('open-devices').addEventListener('click', () => void devices.open());
byId('open-connection').addEventListener('click', () => panel.open());
byId('skip').addEventListener('click', (event) => {
  event.preventDefault();
  conversationOrMain().focus();
});
addEventListener('hashchange', () => you !== undefined && !isOver && goTo(inAddress()));
document.addEventListener('visibilitychange', changed);
addEventListener('storage', ({ key, newValue }) => {
  const person = key === 'multichat:you' && JSON.parse(newValue);
  if (person && you !== undefined && person.id !== you.id) showSomebodyElse(person);
  else if (person && isOver) location.reload();
  changed(); // it has read something
});
byId('people-details').open = matchMedia('(min-width: 60rem)').matches;

void connect();
