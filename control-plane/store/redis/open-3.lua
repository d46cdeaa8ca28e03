-- Enters the history that the store has, or begins one.
-- KEYS: format, lineage, restoring
-- ARGV: format of this version, random part of a new lineage
-- returns: {format, lineage}; a store of another format, or one that a backup is being restored into ('restoring'), is left as it is
if redis.call('EXISTS', KEYS[3]) == 1 then
  return {'restoring', ''}
end
local format, lineage = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
if format and format ~= ARGV[1] then
  return {format, ''}
end
if not (format and lineage) then
  lineage = lineage or string.format('%.0f-%s', now_ms(), ARGV[2])
  redis.call('SET', KEYS[1], ARGV[1])
  redis.call('SET', KEYS[2], lineage)
end
return {ARGV[1], lineage}
