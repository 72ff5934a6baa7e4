-- A worker starts on records: count the attempt, renew the time, hand out the rows; records that
-- are finished answer false, records started too often become dead letters and answer false too.
-- KEYS ledger due attempts progress counters raw dead_letters
-- ARGV family index families group max_attempts maxbytes, then record ids
local family, index, families = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local now = now_ms() / 1000
local rows = {}
for a = 7, #ARGV do
  local record = ARGV[a]
  local text = redis.call('HGET', KEYS[1], record)
  rows[#rows + 1] = text
  if text then
    local tried = redis.call('HINCRBY', KEYS[3], record, 1)
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
      forget(KEYS[1], KEYS[2], KEYS[3], family, record, row)
      finish(KEYS[6], ARGV[4], KEYS[4], index, families, row.ids, 'x')
      rows[#rows] = false
    end
  end
end
write_counts(KEYS[5])
return rows
