-- The results of a batch, each record all or nothing. The ledger row is the licence to commit:
-- whoever removes it has counted the record. Answers per record 1 committed, 0 already finished,
-- 2 machine changed meanwhile. Of a machine that was retired meanwhile only the results are kept: it
-- is in no list, so nothing would ever remove its health and alerts.
-- KEYS ledger due attempts progress counters raw latency results assessments alerts evidence
--      machines evidence_rate open_alerts fleet fleet_changes, then the machine of each record
-- ARGV family index families group bucket_base evidence_bytes evidence_bytes_per_s, then per record:
--      id version next_version evidence fingerprint and four lists of lists of field, value, ...:
--      machine, results, assessments, alerts; a list is led by its number of members, a member by
--      its number of fields and values
local family, index, families = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local now, log_base = now_ms(), math.log(tonumber(ARGV[5]))
local evidence_bytes, evidence_rate = tonumber(ARGV[6]), tonumber(ARGV[7])
local at, buckets, answers = 8, {}, {}

local function take()
  at = at + 1
  return ARGV[at - 1]
end

-- Give each member of the next list to `use`, or skip it.
local function each(use)
  for _ = 1, tonumber(take()) do
    local fields = tonumber(take())
    if use then use(unpack(ARGV, at, at + fields - 1)) end
    at = at + fields
  end
end

-- Waveforms are written above the memory limit, so only so many bytes of them a second, or one.
local function add_evidence(record, ids, bytes)
  local second, spent = math.floor(now / 1000), 0
  local last = redis.call('HMGET', KEYS[13], 'second', 'bytes')
  if tonumber(last[1] or '') == second then spent = tonumber(last[2]) end
  if bytes > evidence_bytes or (spent > 0 and spent + bytes > evidence_rate) then
    count('evidence_skipped', 1)
    return
  end
  redis.call('HSET', KEYS[13], 'second', second, 'bytes', spent + bytes)
  for id in string.gmatch(ids, '%S+') do
    local found = redis.call('XRANGE', KEYS[6], id, id)
    if found[1] and #found[1][2] < 256 then
      redis.call('XADD', KEYS[11], '*', 'record', record, unpack(found[1][2]))
    end
  end
end

local function add_alert(...)
  local alert = {}
  for i = 1, select('#', ...), 2 do alert[select(i, ...)] = select(i + 1, ...) end
  redis.call('XADD', KEYS[10], '*', ...)
  local change = alert.event == 'cleared' and 'SREM' or 'SADD'
  redis.call(change, KEYS[14], alert.machine_id .. '|' .. alert.fault)
end

-- A change that a list of the fleet shows is numbered; most records change nothing of it.
local function note_assessment(machine, fingerprint, id)
  if fingerprint ~= '' and redis.call('HGET', KEYS[machine], 'fingerprint') ~= fingerprint then
    redis.call('HSET', KEYS[machine], 'fingerprint', fingerprint)
    note_change(KEYS[15], KEYS[16], id)
  end
end

for machine = 17, #KEYS do
  local record, version, next_version, evidence = take(), take(), take(), take()
  local fingerprint = take()
  local text = redis.call('HGET', KEYS[1], record)
  local row = text and decode_row(text)
  local listed = row and redis.call('ZSCORE', KEYS[12], row.machine_id)
  local answer = 1
  if not row then
    answer = 0
  elseif listed and (redis.call('HGET', KEYS[machine], 'version') or '0') ~= version then
    answer = 2
  end
  if answer ~= 1 then
    for _ = 1, 4 do each(nil) end
  else
    local arrived = tonumber(row.arrived_ms) or 0
    if arrived <= 0 then arrived = tonumber(string.match(row.ids, '(%d+)%-%d+$')) end
    local latency = math.max(now - arrived, 0)
    each(listed and function(...)
      redis.call('HSET', KEYS[machine], 'version', next_version, ...)
    end)
    each(function(...) redis.call('XADD', KEYS[8], '*', 'latency_ms', latency, ...) end)
    each(listed and function(...) redis.call('XADD', KEYS[9], '*', ...) end)
    each(listed and add_alert)
    if listed then note_assessment(machine, fingerprint, row.machine_id) end
    if listed and evidence == '1' then add_evidence(record, row.ids, row.bytes) end
    local bucket = family .. ':' .. math.floor(math.log(math.max(latency, 1)) / log_base)
    buckets[bucket] = (buckets[bucket] or 0) + 1
    count('windows:' .. family, row.windows)
    count('records:' .. family, 1)
    count('latency_ms:' .. family, latency)
    forget(KEYS[1], KEYS[2], KEYS[3], record, row)
    finish(KEYS[6], ARGV[4], KEYS[4], index, families, row.ids, 'd')
  end
  answers[#answers + 1] = answer
end
for bucket, n in pairs(buckets) do redis.call('HINCRBY', KEYS[7], bucket, n) end
write_counts(KEYS[5])
return answers
