-- Stands before every script. Lineages begin with the moment they were made (epoch ms): the order in which they followed each other.

local function order(lineage)
  return tonumber(string.match(lineage or '', '^%d+')) or 0
end

-- Whether `stored` forbids writes under `mine`: it is another one, and not an older one.
local function is_over(mine, stored)
  return stored and stored ~= mine and order(stored) >= order(mine)
end

local function now_ms()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
