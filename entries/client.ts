export type { ClientChannel } from '../client/client-channel.js';
export type { ClientClock, ClientOptions, ClientState, RequestOptions } from '../client/client-options.js';
export type { CloseAction, Closing } from '../client/close-contract.js';
export { actionOn } from '../client/close-contract.js';
export { connectChannel } from '../client/connect-channel.js';
export { RequestError } from '../client/requests.js';
export type { ClientData, ClientSocket, ClientSocketConstructor, ClientSocketEvent, RefusedResponse } from '../client/socket.js';
