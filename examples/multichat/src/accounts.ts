import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import type { Member } from './member.js';

const derive = promisify<string, Buffer, number, Buffer>(scrypt);
const hashBytes = 32;

interface Account {
  readonly member: Member;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

/** Somebody that can try the chat without signing up. The password is meant to be shown. */
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

let ofTheDemo: Promise<Accounts> | undefined;

/** The accounts of {@link demoUsers}, hashed once for each process: hashing is slow on purpose. */
export function demoAccounts(): Promise<Accounts> {
  ofTheDemo ??= Accounts.of(demoUsers);
  return ofTheDemo;
}

/** Names and the hashes (scrypt, RFC 7914) of their passwords. */
export class Accounts {
  readonly #accounts: ReadonlyMap<string, Account>;
  readonly #nobody: Account;

  private constructor(accounts: readonly Account[], nobody: Account) {
    this.#accounts = new Map(accounts.map((account) => [account.member.name, account]));
    this.#nobody = nobody;
  }

  static async of(users: readonly DemoUser[]): Promise<Accounts> {
    const [nobody, ...accounts] = await Promise.all([
      account({ id: '0', isAuthenticated: true, name: '', staff: false }, randomBytes(16).toString('hex')),
      ...users.map(({ member, password }) => account(member, password)),
    ]);
    return new Accounts(accounts, nobody);
  }

  /** The member with this name and password. An unknown name takes as long as a wrong password. */
  async find(name: string, password: string): Promise<Member | undefined> {
    const { member, salt, hash } = this.#accounts.get(name.trim().toLowerCase()) ?? this.#nobody;
    const matches = timingSafeEqual(await derive(password, salt, hashBytes), hash);
    return matches && member !== this.#nobody.member ? member : undefined;
  }
}

async function account(member: Member, password: string): Promise<Account> {
  const salt = randomBytes(16);
  return { member, salt, hash: await derive(password, salt, hashBytes) };
}
