-- Forget a machine and clear its open alerts; 1 where it was known, else 0. Open alerts stand in
-- two places: those of flags as fields of the machine, those of faults in its `memory`.
-- KEYS machines machine seen alerts
-- ARGV machine, number of flags, flags, number of faults, faults, then field, value, ... that all
--      the alerts share
local at = 2
local function names()
  local first = at + 1
  at = first + tonumber(ARGV[at])
  return {unpack(ARGV, first, at - 1)}
end
local flags, faults = names(), names()

local function clear(id, fault, level)
  redis.call('XADD', KEYS[4], '*', 'id', id, 'fault', fault, 'level', level, unpack(ARGV, at))
end

for _, flag in ipairs(flags) do
  local id = redis.call('HGET', KEYS[2], flag)
  if id then clear(id, flag, 'warning') end
end
local memory = cjson.decode(redis.call('HGET', KEYS[2], 'memory') or '{}')
for _, fault in ipairs(faults) do
  local entry = memory[fault]
  if entry and (entry.alert or '') ~= '' then clear(entry.alert, fault, entry.level) end
end
redis.call('DEL', KEYS[2], KEYS[3])
return redis.call('ZREM', KEYS[1], ARGV[1])
