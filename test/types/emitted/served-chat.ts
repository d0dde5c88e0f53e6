import {
  type ConnectMessage,
  compose,
  type DisconnectMessage,
  type HasAuthenticatedUser,
  type HasChannelSession,
  type HasUser,
  type ReceiveMessage,
  withAuthenticatedUser,
  withChannelUser,
  withOrdering,
  withUserFromToken,
} from 'ws-with';

/** Handlers as an application decorates them, for a server to run. */
export class ServedChat {
  readonly farewells: (string | null)[] = [];

  @compose(withUserFromToken, withAuthenticatedUser) connect(message: ConnectMessage & HasAuthenticatedUser & HasChannelSession) {
    message.channelSession.set('said', []);
    message.channel.sendJson({ hello: message.user.id });
  }

  @withOrdering @withChannelUser async receive(message: ReceiveMessage & HasUser & HasChannelSession) {
    await Promise.resolve();
    message.channelSession.update('said', (said) => [...(said as readonly string[]), message.text]);
    message.channel.sendJson({ from: message.user.id, said: message.channelSession.get('said') });
  }

  @withChannelUser() disconnect(message: DisconnectMessage & HasUser) {
    this.farewells.push(message.user.id);
  }
}

/** The mistake that no compiler sees: no decorator, and yet a user is expected. */
export class ForgetfulChat {
  receive(message: ReceiveMessage & HasUser) {
    return message.user.id;
  }
}
