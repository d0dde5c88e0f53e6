import { type ConnectMessage, type HasAuthenticatedUser, type SlotHandler, withAuthenticatedUser, withUserFromHttp } from 'ws-with';

/** What a member's channel begins with. */
export const identified = (connect: (message: ConnectMessage & HasAuthenticatedUser) => unknown): SlotHandler<ConnectMessage> =>
  withUserFromHttp(withAuthenticatedUser(connect));
