-- Keep what an alert or an operator changed of the alarm book, with the entries of the actions, if
-- nobody has changed the book since it was read. Answers the new version, 0 where somebody has.
-- KEYS book actions
-- ARGV version read, number of fields set, field, value, ..., number of fields deleted, fields ...,
--      then per action: number of its fields and values, field, value, ...
local version = redis.call('HGET', KEYS[1], '#version') or '0'
if version ~= ARGV[1] then return 0 end
local at = 2

local function take()
  at = at + 1
  return ARGV[at - 1]
end

for _ = 1, tonumber(take()) do
  local field = take()
  redis.call('HSET', KEYS[1], field, take())
end
for _ = 1, tonumber(take()) do redis.call('HDEL', KEYS[1], take()) end
while at <= #ARGV do
  local length = tonumber(take())
  redis.call('XADD', KEYS[2], '*', unpack(ARGV, at, at + length - 1))
  at = at + length
end
return redis.call('HINCRBY', KEYS[1], '#version', 1)
