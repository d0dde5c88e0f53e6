import type { Member } from './member.js';

/**
 * Those who can log in. Everybody may know the passwords: they stand on the log-in page, and so they are kept as they are, not as hashes.
 */
export const demoUsers: readonly { readonly member: Member; readonly password: string }[] = [
  { member: { id: '1', isAuthenticated: true, name: 'ann', staff: false }, password: 'lemonade' },
  { member: { id: '2', isAuthenticated: true, name: 'bob', staff: true }, password: 'bicycle' },
  { member: { id: '3', isAuthenticated: true, name: 'cleo', staff: false }, password: 'cinnamon' },
  { member: { id: '4', isAuthenticated: true, name: 'dev', staff: false }, password: 'dandelion' },
];

/** The member with this name and password. */
export function memberWith(name: string, password: string): Member | undefined {
  return demoUsers.find((user) => user.member.name === name.trim().toLowerCase() && user.password === password)?.member;
}
