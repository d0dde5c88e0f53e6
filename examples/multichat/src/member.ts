import type { AuthenticatedUser, UserRepository } from 'ws-with';

/** A user of this chat. */
export interface Member extends AuthenticatedUser {
  /** The name to log in with and to be seen by. */
  readonly name: string;
  /** Whether staff-only rooms are open to this member. */
  readonly staff: boolean;
}

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
