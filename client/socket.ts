/** Data of one message. */
export type ClientData = string | ArrayBuffer | ArrayBufferView;

/** What the client reads of an event: of a message its data, of a close its code and reason. */
export interface ClientSocketEvent {
  readonly type: string;
  readonly data?: unknown;
  readonly code?: number;
  readonly reason?: string;
}

/** What the client uses of a socket: the `WebSocket` of browsers, Node, Bun and Deno has it, and that of `ws`. */
export interface ClientSocket {
  readonly readyState: number;
  binaryType: string;
  send(data: string | ArrayBuffer): void;
  close(code?: number, reason?: string): void;
  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: (event: ClientSocketEvent) => void): void;
  /** Of `ws` alone: drops the connection at once. */
  terminate?(): void;
  /** Of `ws` alone: tells with which status a handshake was refused. */
  on?(type: 'unexpected-response', listener: (request: unknown, response: RefusedResponse) => void): unknown;
}

/** The answer to a handshake that was refused, as Node has it. */
export interface RefusedResponse {
  readonly statusCode?: number | undefined;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** Makes sockets: the `WebSocket` of the platform, or that of `ws`. */
export type ClientSocketConstructor = new (url: string, protocols?: string | string[]) => ClientSocket;
