-- Keeps what the leader says to its followers, and tells it on the bus.
-- KEYS: lineage, leader, counter, announced
-- ARGV: lineage, counter of its leadership, message, channel
-- returns: 1; 0: it leads no more
local leads = redis.call('GET', KEYS[1]) == ARGV[1] and redis.call('EXISTS', KEYS[2]) == 1 and redis.call('GET', KEYS[3]) == ARGV[2]
if not leads then
  return 0
end
redis.call('SET', KEYS[4], ARGV[3])
redis.call('PUBLISH', ARGV[4], ARGV[3])
return 1
