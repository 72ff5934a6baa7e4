-- Enter records into a family's ledger, unless one of their entries already belongs to a record of
-- that family or has no row of progress: it is not admitted, or finished by all families.
-- KEYS lease progress ledger due counters
-- ARGV token family index, then per record: id, row (JSON)
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('LEASELOST') end
local index = tonumber(ARGV[3])
local now = now_ms() / 1000
local rows, ids = {}, {}
for a = 5, #ARGV, 2 do
  local row = cjson.decode(ARGV[a])
  rows[#rows + 1] = row
  for id in string.gmatch(row.ids, '%S+') do ids[#ids + 1] = id end
end
local marks, found = {}, ask('HMGET', KEYS[2], ids)
for i, id in ipairs(ids) do marks[id] = found[i] end
local entered, progress, ledger, due = {}, {}, {}, {}
for r, row in ipairs(rows) do
  local free = true
  for id in string.gmatch(row.ids, '%S+') do
    if not marks[id] or string.sub(marks[id], index, index) ~= '-' then free = false end
  end
  if free then
    for id in string.gmatch(row.ids, '%S+') do
      marks[id] = string.sub(marks[id], 1, index - 1) .. 'a' .. string.sub(marks[id], index + 1)
      progress[#progress + 1], progress[#progress + 2] = id, marks[id]
    end
    local record = ARGV[2 * r + 2]
    ledger[#ledger + 1], ledger[#ledger + 2] = record, ARGV[2 * r + 3]
    due[#due + 1], due[#due + 2] = now, record
    count('in_flight_windows:' .. part(KEYS[3]), row.windows)
    count('in_flight_bytes:' .. part(KEYS[3]), row.bytes)
  end
  entered[r] = free and 1 or 0
end
change('HSET', KEYS[2], progress)
change('HSET', KEYS[3], ledger)
change('ZADD', KEYS[4], due)
write_counts(KEYS[5])
return entered
