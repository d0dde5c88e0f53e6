import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { exportJWK, type JWK, SignJWT } from 'jose';
import { ChannelServer, type ChannelServerOptions, withUserFrom } from '../../../entries/index.js';
import { fromJwt, type JwtOptions } from '../../../entries/jwt.js';
import { connectTo, type TestClient } from '../../../entries/testing.js';
import { listen } from '../../support/http-server.js';
import { makeSite } from '../../support/site.js';

export const issuer = 'https://id.example.com';
export const audience = 'chat';

/** A pair of keys, and how its public one is published. */
export interface Pair {
  readonly kid: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly jwk: JWK;
}

async function pairOf(kid: string, { privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject }): Promise<Pair> {
  return { kid, privateKey, publicKey, jwk: { ...(await exportJWK(publicKey)), kid } };
}

export const makePair = (kid: string): Promise<Pair> => pairOf(kid, generateKeyPairSync('ec', { namedCurve: 'P-256' }));
export const rsa: Pair = await pairOf('rsa', generateKeyPairSync('rsa', { modulusLength: 2048 }));
export const ec: Pair = await makePair('ec-1');

/** What is said of a token; `undefined` leaves a claim out. */
export interface Said {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
  readonly by?: KeyObject | Uint8Array;
}

/** A token of `ada` that counts for an hour from `now` on, but for what is said otherwise. */
export function tokenAt(now: number, { claims = {}, header = {}, by = ec.privateKey }: Said = {}): Promise<string> {
  const iat = Math.floor(now / 1_000);
  const all = { iss: issuer, aud: audience, sub: 'ada', iat, exp: iat + 3_600, jti: 'token-1', ...claims };
  const payload = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: 'ec-1', ...header }).sign(by);
}

/** A site whose server takes JSON Web Tokens. */
export function jwtSite(options: Partial<JwtOptions> = {}, server: ChannelServerOptions = {}) {
  const site = makeSite();
  const keyed = 'jwksUrl' in options || 'jwks' in options || 'secret' in options;
  const source = fromJwt({ algorithms: ['ES256'], issuer, audience, ...(keyed ? {} : { key: ec.publicKey }), ...options });
  const channels = new ChannelServer({ connect: withUserFrom(source)(() => {}) }, { ...site.options, ...server });
  const connect = (token: string): Promise<TestClient> => connectTo(channels, { cookies: { key: token } });
  const token = (said?: Said): Promise<string> => tokenAt(site.clock.now(), said);
  return { ...site, source, channels, connect, token };
}

/** Publishes keys, and counts who reads them. */
export async function publish(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const published = { answer, reads: 0 };
  const { port } = await listen(
    createServer((request, response) => {
      published.reads += 1;
      published.answer(request, response);
    }),
  );
  return { published, jwksUrl: `http://127.0.0.1:${port}/jwks` };
}

/** Answers with a key set. */
export function keys(...all: readonly unknown[]): (request: IncomingMessage, response: ServerResponse) => void {
  return (_request, response) => response.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: all }));
}
