-- Adds or removes an access token together with its entry in the audit, and tells it on the bus.
-- KEYS: lineage, access, tokens, audit of the tokens
-- ARGV: lineage of the caller, id, record as JSON ('': remove), atMs of the entry, entry as JSON, channel
-- returns: {changes so far, entries in the audit, atMs of the oldest}; {-1}: the store has another lineage
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return {-1}
end
local sequence = redis.call('HINCRBY', KEYS[2], 'sequence', 1)
redis.call('ZADD', KEYS[4], sequence, string.format('%.0f %s %s', sequence, ARGV[4], ARGV[5]))
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[3], ARGV[2])
else
  redis.call('HSET', KEYS[3], ARGV[2], ARGV[3])
end
local changes = redis.call('HINCRBY', KEYS[2], 'changes', 1)
redis.call('PUBLISH', ARGV[6], '')
local oldest = redis.call('ZRANGE', KEYS[4], 0, 0)[1]
return {changes, redis.call('ZCARD', KEYS[4]), tonumber(string.match(oldest, '^%d+ (%d+)'))}
