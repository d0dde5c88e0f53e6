export { fromJwt } from '../adapters/jwt/from-jwt.js';
export type { JwtAlgorithm, JwtClaims, JwtOptions } from '../adapters/jwt/jwt-options.js';
export { type JwtName, jwtTokenId } from '../adapters/jwt/jwt-token-id.js';
