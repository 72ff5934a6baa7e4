-- One record's results, all or nothing. The ledger row is the licence to commit: whoever removes it
-- has counted the record. Answers 1 committed, 0 already finished, 2 machine changed meanwhile.
-- KEYS ledger due attempts progress counters raw latency results machine assessments alerts evidence
-- ARGV family index families group record version machine_fields results assessment alerts
--      results_max assessments_max alerts_max evidence_max bucket_base next_version
local family, index, families = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local text = redis.call('HGET', KEYS[1], ARGV[5])
if not text then return 0 end
if (redis.call('HGET', KEYS[9], 'version') or '0') ~= ARGV[6] then return 2 end
local row = cjson.decode(text)
local now = now_ms()
local arrived = tonumber(string.match(row.ids, '(%d+)%-%d+$'))
local latency = math.max(now - arrived, 0)

for _, fields in ipairs(cjson.decode(ARGV[8])) do
  fields[#fields + 1] = 'latency_ms'
  fields[#fields + 1] = tostring(latency)
  redis.call('XADD', KEYS[8], 'MAXLEN', '~', ARGV[11], '*', unpack(fields))
end
local machine = cjson.decode(ARGV[7])
if #machine > 0 then redis.call('HSET', KEYS[9], unpack(machine)) end
redis.call('HSET', KEYS[9], 'version', ARGV[16])
local assessment = cjson.decode(ARGV[9])
if #assessment > 0 then
  redis.call('XADD', KEYS[10], 'MAXLEN', '~', ARGV[12], '*', unpack(assessment))
end
for _, alert in ipairs(cjson.decode(ARGV[10])) do
  redis.call('XADD', KEYS[11], 'MAXLEN', '~', ARGV[13], '*', unpack(alert))
end
if tonumber(ARGV[14]) > 0 then
  for id in string.gmatch(row.ids, '%S+') do
    local found = redis.call('XRANGE', KEYS[6], id, id)
    if found[1] and #found[1][2] < 256 then
      local fields = found[1][2]
      fields[#fields + 1] = 'record'
      fields[#fields + 1] = ARGV[5]
      redis.call('XADD', KEYS[12], 'MAXLEN', '~', ARGV[14], '*', unpack(fields))
    end
  end
end
local bucket = math.floor(math.log(math.max(latency, 1)) / math.log(tonumber(ARGV[15])))
redis.call('HINCRBY', KEYS[7], family .. ':' .. bucket, 1)
redis.call('HINCRBY', KEYS[5], 'windows:' .. family, row.windows)
redis.call('HINCRBY', KEYS[5], 'records:' .. family, 1)
forget(KEYS[1], KEYS[2], KEYS[3], KEYS[5], family, ARGV[5], row)
finish(KEYS[6], ARGV[4], KEYS[4], KEYS[5], index, families, row.ids, 'd')
return 1
