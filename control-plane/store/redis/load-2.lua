-- Reads a service.
-- KEYS: head, policies
-- returns: {state, row of its policy}, both '' where there is none
local head = redis.call('HMGET', KEYS[1], 'state', 'policyRevision')
local policy = head[2] and redis.call('ZRANGEBYSCORE', KEYS[2], head[2], head[2])[1]
return {head[1] or '', policy or ''}
