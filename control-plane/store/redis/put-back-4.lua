-- Brings a service into a new lineage, and puts back a state that is newer than the stored one.
-- KEYS: head, audit, snapshot, policies
-- ARGV: 1 JSON {lineage, version, policyRevision?, savedAtMs, policies}; 2 state; 3 policy, '' for a tombstone;
--       4 flags of the state, for the snapshot; 5 atMs and 6 JSON of the entry that tells of it
-- returns: 'restored' | 'kept': the stored one is as new, or of the new lineage | 'fenced': there is a newer lineage
local held = cjson.decode(ARGV[1])
local stored = redis.call('HMGET', KEYS[1], 'lineage', 'fence', 'version', 'sequence', 'written')
if is_over(held.lineage, stored[1]) then
  return 'fenced'
end
redis.call('HSET', KEYS[1], 'lineage', held.lineage, 'fence', stored[1] == held.lineage and stored[2] or 0)
-- What was written under the new lineage is known to filters under it, who must not get older revisions.
if (tonumber(stored[3]) or 0) >= held.version or stored[5] == held.lineage then
  return 'kept'
end
local sequence = tonumber(stored[4]) or 0
redis.call('HSET', KEYS[1], 'state', ARGV[2], 'version', held.version, 'sequence', sequence + 1)
redis.call('HSET', KEYS[3], 'through', sequence, 'state', ARGV[4])
redis.call('ZADD', KEYS[2], sequence + 1, string.format('%.0f %s %s', sequence + 1, ARGV[5], ARGV[6]))
if held.policyRevision then
  redis.call('HSET', KEYS[1], 'policyRevision', held.policyRevision)
  redis.call('ZREMRANGEBYSCORE', KEYS[4], held.policyRevision, held.policyRevision)
  redis.call('ZADD', KEYS[4], held.policyRevision, string.format('%.0f %.0f %s', held.policyRevision, held.savedAtMs, ARGV[3]))
  redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -held.policies - 1)
else
  redis.call('HDEL', KEYS[1], 'policyRevision')
end
return 'restored'
