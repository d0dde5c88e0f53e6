import type { Member } from './member.js';

/** Somebody to try the chat as. Everybody may know the password: it stands on the log-in page, and so it is kept as it is, not as a hash. */
export interface DemoUser {
  readonly member: Member;
  readonly password: string;
}

/** Those who can log in. */
export const demoUsers: readonly DemoUser[] = [
  { member: { id: '1', isAuthenticated: true, name: 'ann', staff: false }, password: 'lemonade' },
  { member: { id: '2', isAuthenticated: true, name: 'bob', staff: true }, password: 'bicycle' },
  { member: { id: '3', isAuthenticated: true, name: 'cleo', staff: false }, password: 'cinnamon' },
  { member: { id: '4', isAuthenticated: true, name: 'dev', staff: false }, password: 'dandelion' },
];

/** The member with this name and password. */
export function memberWith(name: string, password: string): Member | undefined {
  return demoUsers.find((user) => user.member.name === name.trim().toLowerCase() && user.password === password)?.member;
}
