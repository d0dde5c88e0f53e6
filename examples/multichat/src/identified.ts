import {
  type ConnectMessage,
  type HasAuthenticatedUser,
  type SlotHandler,
  withAuthenticatedUser,
  withUserFromHttp,
  withUserFromToken,
} from 'ws-with';

type ConnectHandler = (message: ConnectMessage & HasAuthenticatedUser) => unknown;

/** How members are recognized: by a token in the cookie `key`, or by the web site's session. The wrapper's name is the whole difference. */
export const identified = {
  token: (connect: ConnectHandler): SlotHandler<ConnectMessage> => withUserFromToken(withAuthenticatedUser(connect)),
  session: (connect: ConnectHandler): SlotHandler<ConnectMessage> => withUserFromHttp(withAuthenticatedUser(connect)),
};

/** What `--auth` may be. */
export type Auth = keyof typeof identified;
