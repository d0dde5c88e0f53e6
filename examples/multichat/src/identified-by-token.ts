import { type ConnectMessage, type HasAuthenticatedUser, type SlotHandler, withAuthenticatedUser, withUserFromToken } from 'ws-with';

/** What a member's channel begins with. */
export const identified = (connect: (message: ConnectMessage & HasAuthenticatedUser) => unknown): SlotHandler<ConnectMessage> =>
  withUserFromToken(withAuthenticatedUser(connect));
