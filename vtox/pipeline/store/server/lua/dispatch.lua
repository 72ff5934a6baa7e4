-- Enter records into a family's ledger, unless one of their entries already belongs to a record of
-- that family or has no row of progress: it is not admitted, or finished by all families.
-- KEYS lease progress ledger due counters
-- ARGV token family index, then per record: id, row (JSON), and of the row: windows, bytes, ids
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('LEASELOST') end
local index = tonumber(ARGV[3])
local now = now_ms() / 1000
local ids, ends = {}, {}
for a = 4, #ARGV, 5 do
  for id in string.gmatch(ARGV[a + 4], '%S+') do ids[#ids + 1] = id end
  ends[#ends + 1] = #ids
end
local marks, found = {}, ask('HMGET', KEYS[2], ids)
for i, id in ipairs(ids) do marks[id] = found[i] end
local entered, progress, ledger, due, windows, bytes = {}, {}, {}, {}, 0, 0
for r, till in ipairs(ends) do
  local from, free = (ends[r - 1] or 0) + 1, true
  for i = from, till do
    local mark = marks[ids[i]]
    if not mark or string.sub(mark, index, index) ~= '-' then free = false end
  end
  if free then
    for i = from, till do
      local id = ids[i]
      marks[id] = string.sub(marks[id], 1, index - 1) .. 'a' .. string.sub(marks[id], index + 1)
      progress[#progress + 1], progress[#progress + 2] = id, marks[id]
    end
    local a = 5 * r - 1
    ledger[#ledger + 1], ledger[#ledger + 2] = ARGV[a], ARGV[a + 1]
    due[#due + 1], due[#due + 2] = now, ARGV[a]
    windows, bytes = windows + ARGV[a + 2], bytes + ARGV[a + 3]
  end
  entered[r] = free and 1 or 0
end
change('HSET', KEYS[2], progress)
change('HSET', KEYS[3], ledger)
change('ZADD', KEYS[4], due)
if windows > 0 then
  count('in_flight_windows:' .. part(KEYS[3]), windows)
  count('in_flight_bytes:' .. part(KEYS[3]), bytes)
end
write_counts(KEYS[5])
return entered
