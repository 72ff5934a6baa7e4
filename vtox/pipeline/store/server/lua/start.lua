-- A worker starts on records: count the attempt, renew the time, hand out the rows. False for records
-- that are finished, for those that another start within `hold` seconds is at work on, and for those
-- started too often, which become dead letters. The same start asked for twice counts once.
-- KEYS ledger due attempts progress counters raw dead_letters
-- ARGV family index families group max_attempts maxbytes token hold, then record ids
local family, index, families = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local now = now_ms() / 1000
local records, tries = {}, {}
for a = 9, #ARGV do
  records[#records + 1] = ARGV[a]
  tries[#tries + 1], tries[#tries + 2] = ARGV[a], ARGV[a] .. '|start'
end
local rows, last = ask('HMGET', KEYS[1], records), ask('HMGET', KEYS[3], tries)
local started, due = {}, {}
for i, record in ipairs(records) do
  local text = rows[i]
  local other, since = string.match(last[2 * i] or '', '^(%S+) (%S+)$')
  local age = since and now - since
  if text and age and age >= 0 and age < tonumber(ARGV[8]) then
    if other ~= ARGV[7] then rows[i] = false end
  elseif text then
    local tried = (tonumber(last[2 * i - 1] or '') or 0) + 1
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
      finish(KEYS[1], record, row, 'x')
      rows[i] = false
    else
      started[#started + 1], started[#started + 2] = record, tried
      started[#started + 1], started[#started + 2] = record .. '|start',
        ARGV[7] .. ' ' .. string.format('%.3f', now)
      due[#due + 1], due[#due + 2] = now, record
    end
  end
end
change('HSET', KEYS[3], started)
change('ZADD', KEYS[2], due)
settle(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], index, families, ARGV[4])
return rows
