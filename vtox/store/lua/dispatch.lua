-- Enter records into a family's ledger, unless one of their entries already belongs to a record of
-- that family or has no row of progress: it is not admitted, or finished by all families.
-- KEYS lease progress ledger due counters
-- ARGV token family index, then per record: id, row (JSON)
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('LEASELOST') end
local index = tonumber(ARGV[3])
local now = now_ms() / 1000
local entered = {}
for a = 4, #ARGV, 2 do
  local record, row = ARGV[a], cjson.decode(ARGV[a + 1])
  local free = true
  for id in string.gmatch(row.ids, '%S+') do
    local marks = redis.call('HGET', KEYS[2], id)
    if not marks or string.sub(marks, index, index) ~= '-' then free = false end
  end
  if free then
    for id in string.gmatch(row.ids, '%S+') do
      local marks = redis.call('HGET', KEYS[2], id)
      redis.call('HSET', KEYS[2], id,
        string.sub(marks, 1, index - 1) .. 'a' .. string.sub(marks, index + 1))
    end
    redis.call('HSET', KEYS[3], record, ARGV[a + 1])
    redis.call('ZADD', KEYS[4], now, record)
    count('in_flight_windows:' .. part(KEYS[3]), row.windows)
    count('in_flight_bytes:' .. part(KEYS[3]), row.bytes)
  end
  entered[#entered + 1] = free and 1 or 0
end
write_counts(KEYS[5])
return entered
