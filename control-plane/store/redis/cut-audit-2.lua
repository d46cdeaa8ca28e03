-- Takes old entries out of an audit, in whose place a snapshot tells what they led to.
-- KEYS: audit, snapshot
-- ARGV: last entry in the present snapshot (0: none), last entry in the new one, last entry to remove, state of the new one as JSON
-- returns: 1; 0: another process was first
if (redis.call('HGET', KEYS[2], 'through') or '0') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[2], 'through', ARGV[2], 'state', ARGV[4])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
return 1
