-- Forget a machine and clear its open alerts; 1 where it was known, else 0. Open alerts stand in
-- two places: those of flags as fields of the machine, those of faults in its `memory`.
-- With `silent_since` only a machine is forgotten that has sent nothing since, is not registered,
-- has no baseline, no setting of its own and no open alert of a fault; the marks of its windows stay for
-- their life time.
-- KEYS machines machine seen alerts open_alerts fleet fleet_changes
-- ARGV machine, silent_since (empty: whatever it is), number of flags, flags, number of faults,
--      faults, then field, value, ... that all the alerts share
local since = tonumber(ARGV[2])
local at = 3
local function names()
  local first = at + 1
  at = first + tonumber(ARGV[at])
  return {unpack(ARGV, first, at - 1)}
end
local flags, faults = names(), names()

local function clear(id, fault, level)
  redis.call('SREM', KEYS[5], ARGV[1] .. '|' .. fault)
  redis.call('XADD', KEYS[4], '*', 'id', id, 'fault', fault, 'level', level, unpack(ARGV, at))
end

local memory = decode_table(redis.call('HGET', KEYS[2], 'memory')) or {}
local open = {}
for _, fault in ipairs(faults) do
  local entry = type(memory.faults) == 'table' and memory.faults[fault]
  if type(entry) == 'table' and type(entry.alert) == 'string' and entry.alert ~= '' then open[#open + 1] = {entry.alert, fault, entry.level == 'fault' and 'fault' or 'warning'} end
end
if since then
  local arrived = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]))
  local kept = redis.call('HMGET', KEYS[2], 'motor', 'baseline', 'sensitivity', 'channel_map')
  if #open > 0 or kept[1] or kept[2] or kept[3] or kept[4] or not arrived or arrived > since then return 0 end
end
for _, flag in ipairs(flags) do
  local id = redis.call('HGET', KEYS[2], flag)
  if id then clear(id, flag, 'warning') end
end
for _, alert in ipairs(open) do clear(unpack(alert)) end
redis.call('DEL', KEYS[2])
if not since then redis.call('DEL', KEYS[3]) end
redis.call('ZREM', KEYS[7], ARGV[1])
local known = redis.call('ZREM', KEYS[1], ARGV[1])
-- Readers of the fleet begin anew: a name that comes again is another machine.
if known == 1 then redis.call('HDEL', KEYS[6], 'epoch') end
return known
