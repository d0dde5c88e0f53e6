const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long', year: 'numeric' });
const relativeDay = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });
const dayMs = 24 * 60 * 60 * 1000;

/** A part of the page. */
export const byId = (id) => document.getElementById(id);

/** Makes an element. What users wrote is only ever given as text: nothing here reads HTML. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** Makes a button. */
export function button(text, onClick, attributes = {}) {
  const made = element('button', { type: 'button', ...attributes }, text);
  made.addEventListener('click', onClick);
  return made;
}

/** A person's initial on a colour that is the same everywhere. */
export function avatar({ id, name: [initial = '?'] }) {
  let hue = 0;
  for (const character of id) hue = (hue * 31 + character.codePointAt(0) * 137) % 360;
  const made = element('span', { class: 'avatar', 'aria-hidden': 'true' }, initial.toUpperCase());
  made.style.setProperty('--hue', hue);
  return made;
}

/** A moment, as the reader's clock shows it. */
export function time(at) {
  const date = new Date(at);
  return element('time', { datetime: at, title: calendar.format(date) }, clock.format(date));
}

/** A moment of any day. */
export function moment(at) {
  return element('time', { datetime: at }, calendar.format(new Date(at)));
}

/** The day of a moment where the reader is: "today", "yesterday", or its date. */
export function dayOf(at) {
  const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());
  const date = new Date(at);
  const days = Math.round((midnight(date) - midnight(new Date())) / dayMs);
  return days === 0 || days === -1 ? relativeDay.format(days, 'day') : day.format(date);
}

/** Text with its addresses as links. */
export function linked(text) {
  return text.split(/(https?:\/\/[^\s<>"]*[^\s<>".,:;!?'()])/).map((part, index) => {
    if (index % 2 === 0 || !URL.canParse(part)) return part;
    return element('a', { href: part, target: '_blank', rel: 'noopener noreferrer' }, part);
  });
}

/** Text for screen readers alone. */
export function unseen(text) {
  return element('span', { class: 'unseen' }, text);
}
