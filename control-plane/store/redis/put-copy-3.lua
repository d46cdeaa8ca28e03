-- Keeps a shared copy; those that expire first give way where the room of the service is used up.
-- KEYS: copies, their expiries, their bytes
-- ARGV: key, row, epoch ms now, epoch ms of its expiry, room in bytes, bytes that a copy takes beside its row
-- returns: 1; 0: it is larger than all the room
local copies, expiries, bytes = KEYS[1], KEYS[2], KEYS[3]
local key, row, now, expiry, room, beside = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

local function remove(victim)
  if redis.call('ZREM', expiries, victim) == 1 then
    redis.call('DECRBY', bytes, redis.call('HSTRLEN', copies, victim) + beside)
    redis.call('HDEL', copies, victim)
  end
end

-- Changes nothing, but is refused when Redis is out of memory: after a removal nothing would be refused any more.
redis.call('SETRANGE', bytes, 0, '')
remove(key)
for _, victim in ipairs(redis.call('ZRANGEBYSCORE', expiries, '-inf', now, 'LIMIT', 0, 8)) do
  remove(victim)
end
local size = #row + beside
if size > room then
  return 0
end
while tonumber(redis.call('GET', bytes) or 0) + size > room do
  local victim = redis.call('ZRANGE', expiries, 0, 0)[1]
  if not victim then
    redis.call('DEL', copies, bytes)
    break
  end
  remove(victim)
end
redis.call('HSET', copies, key, row)
redis.call('ZADD', expiries, expiry, key)
redis.call('INCRBY', bytes, size)
-- Without further copies all of it goes when the last one expires.
local left = math.max(redis.call('PTTL', copies), expiry - now, 1)
for _, each in ipairs(KEYS) do
  redis.call('PEXPIRE', each, string.format('%.0f', left))
end
return 1
