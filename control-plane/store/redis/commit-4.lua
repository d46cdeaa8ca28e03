-- Changes one service, wholly or not at all, and tells it on the bus.
-- KEYS: head, audit, policies, recoveries
-- ARGV: 1 JSON {lineage, fence?, floor?, expectedVersion, version, policyRevision?, savedAtMs, audit, ended, policies, recoveries, channel, message}:
--         fence: counter of the leader who writes; floor: counter below which no leader may write from now on; audit, ended: how many follow;
--         policies, recoveries: how many are kept
--       2 state as JSON; 3 policy as JSON, or '' where it is the stored one; then audit entries and ended recoveries, each as atMs and JSON
-- returns: {'committed', entries in the audit, atMs of the oldest} | {'conflict'} | {'fenced'} | {'policy'}: the policy must be given as well
local head, audit, policies, recoveries = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local change = cjson.decode(ARGV[1])
local stored = redis.call('HMGET', head, 'lineage', 'fence', 'version', 'policyRevision', 'sequence', 'ended')

if is_over(change.lineage, stored[1]) then
  return {'fenced'}
end
local fence = stored[1] == change.lineage and tonumber(stored[2]) or 0
if change.fence and change.fence < fence then
  return {'fenced'}
end
if (tonumber(stored[3]) or 0) ~= change.expectedVersion then
  return {'conflict'}
end
local is_new_policy = change.policyRevision and change.policyRevision ~= tonumber(stored[4])
if is_new_policy and ARGV[3] == '' then
  return {'policy'}
end

local sequence, ended = tonumber(stored[5]) or 0, tonumber(stored[6]) or 0
redis.call('HSET', head, 'state', ARGV[2], 'version', change.version, 'lineage', change.lineage, 'written', change.lineage,
  'fence', math.max(fence, change.fence or 0, change.floor or 0), 'sequence', sequence + change.audit, 'ended', ended + change.ended)
if change.policyRevision then
  redis.call('HSET', head, 'policyRevision', change.policyRevision)
else
  redis.call('HDEL', head, 'policyRevision')
end
if is_new_policy then
  local row = string.format('%.0f %.0f %s', change.policyRevision, change.savedAtMs, ARGV[3])
  redis.call('ZREMRANGEBYSCORE', policies, change.policyRevision, change.policyRevision)
  redis.call('ZADD', policies, change.policyRevision, row)
  redis.call('ZREMRANGEBYRANK', policies, 0, -change.policies - 1)
end

local at = 4
local function append(key, number, count)
  for i = 1, count do
    redis.call('ZADD', key, number + i, string.format('%.0f %s %s', number + i, ARGV[at], ARGV[at + 1]))
    at = at + 2
  end
end
append(audit, sequence, change.audit)
append(recoveries, ended, change.ended)
if change.ended > 0 then
  redis.call('ZREMRANGEBYRANK', recoveries, 0, -change.recoveries - 1)
end

redis.call('PUBLISH', change.channel, change.message)
local oldest = redis.call('ZRANGE', audit, 0, 0)[1]
return {'committed', redis.call('ZCARD', audit), tonumber(oldest and string.match(oldest, '^%d+ (%d+)') or 0)}
