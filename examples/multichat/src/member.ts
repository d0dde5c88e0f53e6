import type { AuthenticatedUser, UserRepository } from 'ws-with';
import type { Person } from './events.js';

/** A user of this chat. */
export type Member = AuthenticatedUser & Person;

/** Where members are found, several at once too. */
export type MemberRepository = UserRepository<Member> & Required<Pick<UserRepository<Member>, 'findByIds'>>;

declare module 'ws-with' {
  interface Register {
    user: Member;
    session: {
      /** Ids of the rooms that the member is in. */
      rooms: readonly string[];
    };
  }
}
