import type { AuthenticatedUser } from 'ws-with';

/** A user of this application. */
export interface Member extends AuthenticatedUser {
  readonly name: string;
}

declare module 'ws-with' {
  interface Register {
    user: Member;
    session: {
      /** How many entries this connection has written. */
      written: number;
    };
  }
}
