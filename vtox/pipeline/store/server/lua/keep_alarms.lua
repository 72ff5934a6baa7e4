-- Keep what an alert or an operator changed of the alarm book, with the entries of the actions, if
-- nobody has changed the book since it was read. Answers the new version, 0 where somebody has. Who
-- keeps the book finds the fields that were changed since by their numbers; the last ones are enough.
-- KEYS book actions changes
-- ARGV version read, position, number of fields and values set, field, value, ..., number of fields
--      deleted, field, ..., then per action: number of its fields and values, field, value, ...
local KEPT = 50000
local version = redis.call('HGET', KEYS[1], '#version') or '0'
if version ~= ARGV[1] then return 0 end
version = tonumber(version) + 1
local at = 3

local function take()
  at = at + 1
  return ARGV[at - 1]
end

for _ = 1, tonumber(take()) / 2 do
  local field = take()
  redis.call('HSET', KEYS[1], field, take())
  redis.call('ZADD', KEYS[3], version, field)
end
for _ = 1, tonumber(take()) do
  local field = take()
  redis.call('HDEL', KEYS[1], field)
  redis.call('ZADD', KEYS[3], version, field)
end
while at <= #ARGV do
  local length = tonumber(take())
  redis.call('XADD', KEYS[2], '*', unpack(ARGV, at, at + length - 1))
  at = at + length
end
redis.call('ZADD', KEYS[3], version, '#version')
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -KEPT - 1)
redis.call('HSET', KEYS[1], '#version', version, '#position', ARGV[2])
return version
