-- Takes or renews the lead.
-- KEYS: lineage, leader, counter
-- ARGV: lineage of the caller, holder, lease in ms
-- returns: the counter of the leadership; 0: another one leads, or the store has another lineage
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
local leader = redis.call('GET', KEYS[2])
if leader and leader ~= ARGV[2] then
  return 0
end
local counter = leader and tonumber(redis.call('GET', KEYS[3])) or redis.call('INCR', KEYS[3])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return counter
