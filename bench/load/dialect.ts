import { handshakeWith, maskedFrame, RawConnection } from './raw-connection.js';

/** How a server is spoken to. */
export interface Dialect {
  /** Path of its handshakes. @default '/' */
  readonly path?: string;
  /** What the cookie of a handshake holds for a token's key. @default the key */
  readonly cookieOf?: (key: string) => string;
  /** What a client sends once it is open. */
  readonly hello?: string;
  /** How many frames it then gets before it is in. */
  readonly welcome: number;
  /** What a message that carries `json` looks like. */
  readonly wrap: (json: string) => string;
  /** The JSON that an answer carries. */
  readonly unwrap: (text: string) => string;
}

/** JSON as it is, in frames of WebSocket. */
export const plain: Dialect = { welcome: 0, wrap: (json) => json, unwrap: (text) => text };

/** Events of Socket.IO, over WebSocket alone. */
export const socketIo: Dialect = {
  path: '/socket.io/?EIO=4&transport=websocket',
  hello: '40',
  welcome: 2,
  wrap: (json) => `42["say",${json}]`,
  unwrap: (text) => text.slice('42["said",'.length, -1),
};

/** The bytes of a handshake for the token with `key`. */
export function handshakeIn({ path, cookieOf }: Dialect, key: string): Buffer {
  return handshakeWith(cookieOf === undefined ? key : cookieOf(key), path);
}

/** Connects by `handshake`; resolves once the client is in. */
export function join(port: number, handshake: Buffer, { hello, welcome }: Dialect): Promise<RawConnection> {
  if (hello === undefined && welcome === 0) return RawConnection.open(port, handshake);
  return new Promise((resolve, reject) => {
    let frames = 0;
    let isOpen = false;
    const look = (connection: RawConnection): void => {
      if (isOpen && frames >= welcome) resolve(connection);
    };
    RawConnection.open(port, handshake, (connection) => {
      connection.onFrames = (arrived) => {
        frames += arrived;
        look(connection);
      };
    }).then((connection) => {
      isOpen = true;
      if (hello !== undefined) connection.write(maskedFrame(hello));
      look(connection);
    }, reject);
  });
}
