-- Puts back the access tokens, where those in the store are older.
-- KEYS: lineage, access, tokens, audit of the tokens
-- ARGV: lineage of the caller, changes that led to these tokens, atMs and JSON of the entry that tells of it, then ids and records as JSON
-- returns: 1; 0: those in the store are as new, or it has another lineage
if redis.call('GET', KEYS[1]) ~= ARGV[1] or tonumber(redis.call('HGET', KEYS[2], 'changes') or 0) >= tonumber(ARGV[2]) then
  return 0
end
redis.call('HSET', KEYS[2], 'changes', ARGV[2])
local sequence = redis.call('HINCRBY', KEYS[2], 'sequence', 1)
redis.call('ZADD', KEYS[4], sequence, string.format('%.0f %s %s', sequence, ARGV[3], ARGV[4]))
redis.call('DEL', KEYS[3])
for i = 5, #ARGV, 2 do
  redis.call('HSET', KEYS[3], ARGV[i], ARGV[i + 1])
end
return 1
