export { dispatchOn } from '../decorators/dispatch-on.js';
export type { IdentifyingOptions, UserCall } from '../decorators/user-call.js';
export { withAllowedOrigins } from '../decorators/with-allowed-origins.js';
export { type AuthenticatedUserCall, type WithAuthenticatedUser, withAuthenticatedUser } from '../decorators/with-authenticated-user.js';
export { withChannelAndHttpSession } from '../decorators/with-channel-and-http-session.js';
export { withChannelSession } from '../decorators/with-channel-session.js';
export { type ChannelUserCall, type WithChannelUser, withChannelUser } from '../decorators/with-channel-user.js';
export { withClientErrors } from '../decorators/with-client-errors.js';
export { type HttpSessionOptions, withHttpSession } from '../decorators/with-http-session.js';
export { type HttpUserCall, type WithHttpUser, withHttpUser } from '../decorators/with-http-user.js';
export { withJson } from '../decorators/with-json.js';
export { withOrdering } from '../decorators/with-ordering.js';
export { type RequestIdOptions, withRequestId } from '../decorators/with-request-id.js';
export { withUserFrom } from '../decorators/with-user-from.js';
export {
  type UserFromHttpCall,
  type UserFromHttpOptionsCall,
  type WithUserFromHttp,
  withUserFromHttp,
} from '../decorators/with-user-from-http.js';
export { type UserFromTokenCall, type WithUserFromToken, withUserFromToken } from '../decorators/with-user-from-token.js';
export type { Authentication, AuthenticationOutcome, Carrier, SourceName } from '../src/authentication.js';
export type { Channels } from '../src/channel/channels.js';
export { checkId } from '../src/check-id.js';
export { checkedTicketGrant } from '../src/checked-ticket-grant.js';
export type { Broadcaster } from '../src/contracts/broadcaster.js';
export type { Clock } from '../src/contracts/clock.js';
export type { HttpSession, HttpSessionReader } from '../src/contracts/http-session-reader.js';
export type { FeedHealth, Revocation, RevocationFeed } from '../src/contracts/revocation-feed.js';
export type { JsonObject, JsonValue, SessionStore, StoredSession } from '../src/contracts/session-store.js';
export type { TicketGrant, TicketStore } from '../src/contracts/ticket-store.js';
export type {
  ExtendOptions,
  IssuedToken,
  IssueOptions,
  RotateOptions,
  TokenGrant,
  TokenInfo,
  TokenIssuer,
  TokenRepository,
} from '../src/contracts/token-repository.js';
export type { UserRepository } from '../src/contracts/user-repository.js';
export { ChannelError, ClientError, CloseChannel, DenyConnection, type DenyOptions } from '../src/errors.js';
export type {
  ChannelEvent,
  CloseEvent,
  ConflictEvent,
  EventOptions,
  EventSubject,
  FeedEvent,
  HandshakeEvent,
  HeartbeatEvent,
  IdentificationEvent,
  RefusalEvent,
  RenewalEvent,
  RevalidationEvent,
  RevocationEvent,
  SaveEvent,
  SlowConsumerEvent,
} from '../src/events.js';
export type { ExchangeOptions } from '../src/exchange/exchange-options.js';
export type { ExchangeHandler } from '../src/exchange/exchange-route.js';
export { type IssueTokenOptions, issueTokenHandler } from '../src/exchange/issue-token-handler.js';
export { type RenewTokenOptions, renewTokenHandler } from '../src/exchange/renew-token-handler.js';
export { type RevokeTokenOptions, revokeTokenHandler } from '../src/exchange/revoke-token-handler.js';
export { type TicketHandlerOptions, ticketHandler } from '../src/exchange/ticket-handler.js';
export type { TokenCookieOptions } from '../src/exchange/token-cookie.js';
export { checkedRevocation } from '../src/feeds/checked-revocation.js';
export { GROUPS, type GroupSendOptions, Groups, type GroupsOptions } from '../src/groups/groups.js';
export type { PresenceChange } from '../src/groups/presence-changes.js';
export { authorization, type CredentialSource, cookie, type Presented, query, subprotocol } from '../src/identity/credentials.js';
export { defineSource, type SourceOptions } from '../src/identity/define-source.js';
export { fromHttpSession, type HttpOptions, type HttpSourceOptions } from '../src/identity/from-http-session.js';
export { fromToken, type TokenOptions } from '../src/identity/from-token.js';
export { type HostCookiePrefix, hostCookie } from '../src/identity/host-cookie.js';
export { type IdentifyKeyBySourceOptions, type IdentifyKeyOptions, identifyKey } from '../src/identity/identify-key.js';
export type { Identified } from '../src/identity/identify-request.js';
export { type IdentifyOptions, identifyUser } from '../src/identity/identify-user.js';
export type { Awaitable, SourceContext, SourceFinding, UserOf } from '../src/identity/own-source.js';
export type { Revalidate } from '../src/identity/revalidation.js';
export { ticket } from '../src/identity/ticket.js';
export type { AnySource, SourceAdds, SourceUser, UserSource } from '../src/identity/user-source.js';
export {
  container,
  type DependencyContainer,
  HTTP_SESSION_READER,
  type InjectionToken,
  REVOCATION_FEED,
  SESSION_STORE,
  TICKET_STORE,
  TOKEN_REPOSITORY,
  USER_REPOSITORY,
} from '../src/injection.js';
export type {
  AppSession,
  BaseMessage,
  Channel,
  ChannelSession,
  ConnectMessage,
  DeepReadonly,
  DisconnectMessage,
  Handshake,
  HandshakeRequest,
  HasBody,
  HasChannelSession,
  HasHttpSession,
  HasRequestId,
  Message,
  PathParams,
  ReceiveMessage,
} from '../src/messages.js';
export type { OriginOptions } from '../src/origin.js';
export { type ErrorCode, type Outcome, type Outcomes, privateCloseCodes } from '../src/outcomes.js';
export type { ReporterOptions } from '../src/reporter.js';
export type { ResponseHeaders } from '../src/response-headers.js';
export type { ChannelHandlers, ClassHandlers, InstanceHandlers, SlotHandler } from '../src/server/channel-handlers.js';
export { ChannelServer, type CloseOptions } from '../src/server/channel-server.js';
export type { ChannelServerOptions } from '../src/server/channel-server-options.js';
export type { UpgradeOptions } from '../src/server/upgrade-options.js';
export type { UpgradeServer } from '../src/server/upgrades.js';
export { checkStoredSession } from '../src/session/check-stored-session.js';
export type { ChannelSessionOptions, SessionScope } from '../src/session/session-settings.js';
export type { SchemaIssue, SchemaResult, StandardSchema } from '../src/standard-schema.js';
export { checkTokenId, type TokenId, tokenIdOf } from '../src/token-id.js';
export { UnknownUserError } from '../src/unknown-user-error.js';
export {
  type AnonymousUser,
  type AppUser,
  type AuthenticatedUser,
  anonymousUser,
  type FoundUser,
  type HasAuthenticatedUser,
  type HasUser,
  type Register,
  type RegisterError,
  type UserLike,
} from '../src/users.js';
export { compose } from '../src/wrapping/compose.js';
export { defineWrapper } from '../src/wrapping/define-wrapper.js';
export { whenSettled } from '../src/wrapping/when-settled.js';
export type * from '../src/wrapping/wrapper.js';
