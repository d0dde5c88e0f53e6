export type { RateLimitBy, RateLimiter, RateLimitOptions } from '../adapters/rate-limit/options.js';
export { type WithRateLimit, withRateLimit } from '../adapters/rate-limit/with-rate-limit.js';
