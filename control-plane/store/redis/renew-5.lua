-- Begins a new lineage, unless the store has one that began after the given one.
-- KEYS: lineage, format, leader, counter, announced
-- ARGV: lineage of the caller, random part of a new one, format, last counter of a leader that the caller knows
-- returns: the lineage that the store has now
local stored = redis.call('GET', KEYS[1])
if is_over(ARGV[1], stored) then
  return stored
end
local begun = math.max(now_ms(), order(ARGV[1]) + 1)
local lineage = string.format('%.0f-%s', begun, ARGV[2])
redis.call('SET', KEYS[1], lineage)
redis.call('SET', KEYS[2], ARGV[3])
redis.call('DEL', KEYS[3], KEYS[5])
if tonumber(ARGV[4]) > tonumber(redis.call('GET', KEYS[4]) or 0) then
  redis.call('SET', KEYS[4], ARGV[4])
end
return lineage
