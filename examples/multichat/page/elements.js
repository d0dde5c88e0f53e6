const clock = new Intl.DateTimeFormat(undefined, { hour: 'numeric', minute: '2-digit' });
const calendar = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });
const day = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const hues = 8;

/** Makes an element. What users wrote is only ever given as text: nothing here reads HTML. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** A person's initial on a colour that is the same everywhere. */
export function avatar(person) {
  let sum = 0;
  for (const character of person.id) sum = (sum * 31 + character.codePointAt(0)) % 997;
  const [initial = '?'] = person.name;
  return element('span', { class: `avatar hue-${sum % hues}`, 'aria-hidden': 'true' }, initial.toUpperCase());
}

/** A moment, as the reader's clock shows it. */
export function time(at) {
  const date = new Date(at);
  return element('time', { datetime: at, title: calendar.format(date) }, clock.format(date));
}

/** A moment of any day. */
export function moment(at) {
  return element('time', { datetime: at }, day.format(new Date(at)));
}

/** Text for screen readers alone. */
export function unseen(text) {
  return element('span', { class: 'unseen' }, text);
}
