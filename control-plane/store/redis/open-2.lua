-- Enters the history that the store has, or begins one.
-- KEYS: format, lineage
-- ARGV: format of this version, random part of a new lineage
-- returns: {format, lineage}; a format that is not the given one is left as it is
local format = redis.call('GET', KEYS[1])
if format and format ~= ARGV[1] then
  return {format, ''}
end
local lineage = redis.call('GET', KEYS[2])
if not lineage then
  lineage = string.format('%.0f-%s', now_ms(), ARGV[2])
  redis.call('SET', KEYS[2], lineage)
end
redis.call('SET', KEYS[1], ARGV[1])
return {ARGV[1], lineage}
