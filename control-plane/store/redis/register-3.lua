-- Enters the name of a service that is about to be created.
-- KEYS: lineage, services, counter
-- ARGV: lineage of the caller, service
-- returns: the last leader's counter, which the service must not forget; -1: the store has another lineage
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return -1
end
redis.call('SADD', KEYS[2], ARGV[2])
return tonumber(redis.call('GET', KEYS[3]) or 0)
