-- A worker starts on records: count the attempt, renew the time, hand out the rows. False for records
-- that are finished, for those that another start within `hold` seconds is at work on, and for those
-- started too often, which become dead letters. The same start asked for twice counts once.
-- KEYS ledger due attempts progress counters raw dead_letters
-- ARGV family index families group max_attempts maxbytes token hold, then record ids
local family, index, families = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local now = now_ms() / 1000
local rows = {}
for a = 9, #ARGV do
  local record = ARGV[a]
  local text = redis.call('HGET', KEYS[1], record)
  local at_work = record .. '|start'
  local last = redis.call('HMGET', KEYS[3], record, at_work)
  local other, since = string.match(last[2] or '', '^(%S+) (%S+)$')
  local age = since and now - since
  rows[#rows + 1] = text
  if text and age and age >= 0 and age < tonumber(ARGV[8]) then
    if other ~= ARGV[7] then rows[#rows] = false end
  elseif text then
    local tried = (tonumber(last[1] or '') or 0) + 1
    redis.call('HSET', KEYS[3], record, tried, at_work,
      ARGV[7] .. ' ' .. string.format('%.3f', now))
    redis.call('ZADD', KEYS[2], now, record)
    local row = tried > tonumber(ARGV[5]) and decode_row(text)
    if row then
      local seq = row.first_seq
      for id in string.gmatch(row.ids, '%S+') do
        bury(KEYS[6], KEYS[7], tonumber(ARGV[6]), id, family, row.machine_id,
          string.format('%.0f', seq), 'poison',
          'started ' .. ARGV[5] .. ' times without a result', tried - 1)
        seq = seq + 1
      end
      count('dead:' .. family, row.windows)
      forget(KEYS[1], KEYS[2], KEYS[3], record, row)
      finish(KEYS[6], ARGV[4], KEYS[4], index, families, row.ids, 'x')
      rows[#rows] = false
    end
  end
end
write_counts(KEYS[5])
return rows
