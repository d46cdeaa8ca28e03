-- Makes a service refuse the leaders before this one.
-- KEYS: head
-- ARGV: lineage, counter
-- returns: 1; 0: the service has a newer lineage or leader
local stored = redis.call('HMGET', KEYS[1], 'lineage', 'fence')
if is_over(ARGV[1], stored[1]) then
  return 0
end
if stored[1] == ARGV[1] and tonumber(stored[2] or 0) > tonumber(ARGV[2]) then
  return 0
end
redis.call('HSET', KEYS[1], 'lineage', ARGV[1], 'fence', ARGV[2])
return 1
