-- A record that can never be diagnosed (its samples are gone, say) becomes dead letters.
-- KEYS ledger due attempts progress counters raw dead_letters
-- ARGV family index families group record code reason maxbytes
-- To drop a row that is not there changes nothing.
local row = decode_row(redis.call('HGET', KEYS[1], ARGV[5]))
if not row then
  drop_row(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], tonumber(ARGV[2]), ARGV[5])
  return 0
end
local tried = redis.call('HGET', KEYS[3], ARGV[5]) or '0'
local seq = row.first_seq
for id in string.gmatch(row.ids, '%S+') do
  bury(KEYS[6], KEYS[7], tonumber(ARGV[8]), id, ARGV[1], row.machine_id,
    string.format('%.0f', seq), ARGV[6], ARGV[7], tried)
  seq = seq + 1
end
count('dead:' .. ARGV[1], row.windows)
finish(KEYS[1], ARGV[5], row, 'x')
settle(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], tonumber(ARGV[2]), tonumber(ARGV[3]),
  ARGV[4])
return 1
