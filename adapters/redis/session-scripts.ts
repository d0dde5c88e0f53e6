import { randomBytes } from 'node:crypto';
import { type RedisScript, redisScript } from './redis-script.js';

/**
 * The fields of a session's hash, in the order in which they are read: numbers as decimal digits, dates in milliseconds since the epoch.
 */
export const sessionFields = ['version', 'data', 'createdAt', 'expiresAt'] as const;

/** What a script answers. */
export const outcomes = { gone: 0, written: 1, conflict: 2 } as const;

/** How many characters the mark of a write has. */
const markLength = 12;
/**
 * The marks of so many writes are kept with a record, the newest first: a hash takes far more memory once a value of it has more than 64
 * bytes.
 */
const keptMarks = 5;

/** A mark that no other write has. */
export function newMark(): string {
  return randomBytes(9).toString('base64');
}

/**
 * What the scripts share.
 *
 * - `live(now)`: version, birth and data of the record, where there is one that can be read, as far as can be told here, and that has not
 *   expired. Numbers up to 2^53 are exact in Lua, as they are in JavaScript.
 * - `write(…)`: writes a record, or over one. What a newer version has put beside it stays.
 * - `marks()`: the marks of the last writes.
 * - `isDone(mark)`: whether the write of this mark was done already. A client that was cut off before it was answered sends it again: its
 *   change would be taken for that of somebody else, and made once more on top of itself.
 *
 * A server that is full refuses `HSET`, but not to a script that has written before: so it comes first where a record may grow, and second
 * where it is touched.
 */
const functions = `
local function integer(text, least, most)
  if not text or not string.match(text, '^%-?%d+$') then return nil end
  local number = tonumber(text)
  if number < least or number > most then return nil end
  return number
end
local function live(now)
  if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then return nil end
  local record = redis.call('HMGET', KEYS[1], 'version', 'data', 'createdAt', 'expiresAt')
  local version = integer(record[1], 1, 9007199254740991)
  local createdAt = integer(record[3], -8.64e15, 8.64e15)
  local expiresAt = integer(record[4], -8.64e15, 8.64e15)
  if not (version and createdAt and expiresAt and record[2]) or not string.match(record[2], '^%s*{') then return nil end
  if expiresAt <= tonumber(now) then return nil end
  return version, createdAt, record[2]
end
local function marks()
  return redis.call('HMGET', KEYS[1], 'marks')[1] or ''
end
local function isDone(mark)
  return string.find(marks(), mark, 1, true) ~= nil
end
local function write(version, data, createdAt, expiresAt, ttl, marks)
  redis.call('HSET', KEYS[1], 'version', version, 'data', data, 'createdAt', createdAt, 'expiresAt', expiresAt, 'marks', marks)
  redis.call('PEXPIRE', KEYS[1], ttl)
end
`;

/**
 * `now`, the record, how long to keep it, the mark of the write; then the data of a record that cannot be read after all, and may be
 * replaced.
 */
export const createScript: RedisScript = redisScript(`${functions}
local version, _, data = live(ARGV[1])
if version and isDone(ARGV[7]) then return ${outcomes.written} end
if version and data ~= ARGV[8] then return ${outcomes.conflict} end
if redis.call('TYPE', KEYS[1]).ok ~= 'none' then redis.call('DEL', KEYS[1]) end
write(ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7])
return ${outcomes.written}
`);

/** `now`, the record, how long to keep it, the mark of the write, the version that is expected. */
export const saveScript: RedisScript = redisScript(`${functions}
local version, createdAt = live(ARGV[1])
if not version or createdAt ~= tonumber(ARGV[4]) then return ${outcomes.gone} end
if version ~= tonumber(ARGV[8]) then return isDone(ARGV[7]) and ${outcomes.written} or ${outcomes.conflict} end
local earlier = string.sub(marks(), 1, ${(keptMarks - 1) * markLength})
write(ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7] .. earlier)
return ${outcomes.written}
`);

/** `now`, when it is to expire, how long to keep it. */
export const touchScript: RedisScript = redisScript(`${functions}
if not live(ARGV[1]) then return ${outcomes.gone} end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
redis.call('HSET', KEYS[1], 'expiresAt', ARGV[2])
return ${outcomes.written}
`);
