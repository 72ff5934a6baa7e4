-- The results of a batch, each record all or nothing. The ledger row is the licence to commit:
-- whoever removes it has counted the record. Answers per record 1 committed, 0 already finished,
-- 2 machine changed meanwhile, or the error that left it undone, unless all ended in one. Only
-- the results are kept of a machine that was retired meanwhile: it is in no list, so nothing would ever
-- remove its health and alerts.
-- KEYS ledger due attempts progress counters raw latency results assessments alerts evidence
--      machines evidence_rate open_alerts fleet fleet_changes worker, then the machine of each record
-- ARGV as `commit_arguments` of vtox/pipeline/store/ledger/outcomes.py lays them out
local family, index, families = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local now, log_base = now_ms(), math.log(tonumber(ARGV[5]))
local evidence_bytes, evidence_rate = tonumber(ARGV[6]), tonumber(ARGV[7])
local records, buckets, answers = {}, {}, {}
for i = 1, #KEYS - 17 do records[i] = ARGV[12 + i] end
local at, windows = 13 + #records, 0

local function take()
  at = at + 1
  return ARGV[at - 1]
end

-- A shape is an entry, name, value, name, value ..., without the values that differ; `gaps` has
-- their places.
local shapes, gaps = {}, {}
for i = 1, tonumber(take()) do
  local signs, shape, gap = take(), {}, {}
  for k = 1, #signs do shape[2 * k - 1] = take() end
  for k = 1, #signs do
    local same = string.byte(signs, k) == 49
    if same then shape[2 * k] = take() else shape[2 * k], gap[#gap + 1] = '', 2 * k end
  end
  shapes[i], gaps[i] = shape, gap
end

-- Give fields and values of each entry of the next list to `use`, if there is one.
local function each(use)
  for _ = 1, tonumber(take()) do
    local number = tonumber(take())
    local entry, gap = shapes[number], gaps[number]
    for k = 1, #gap do entry[gap[k]] = take() end
    if use then use(unpack(entry)) end
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

local rows, ids = {}, {}
for i, text in ipairs(ask('HMGET', KEYS[1], records)) do
  local row = text and decode_row(text)
  rows[records[i]] = row or nil
  ids[i] = row and row.machine_id or ''
end
local listings = ask('ZMSCORE', KEYS[12], ids)

local function commit(i, record)
  local machine = KEYS[17 + i]
  local version, next_version, evidence, fingerprint = take(), take(), take(), take()
  local row, listed = rows[record], listings[i]
  local before = redis.call('HMGET', machine, 'version', 'fingerprint')
  if not row then return 0 end
  if listed and (before[1] or '0') ~= version then return 2 end
  local arrived = tonumber(row.arrived_ms) or 0
  if arrived <= 0 then arrived = tonumber(string.match(row.ids, '(%d+)%-%d+$')) end
  local latency = math.max(now - arrived, 0)
  each(listed and function(...) redis.call('HSET', machine, 'version', next_version, ...) end)
  each(function(...) redis.call('XADD', KEYS[8], '*', 'latency_ms', latency, ...) end)
  each(listed and function(...) redis.call('XADD', KEYS[9], '*', ...) end)
  each(listed and add_alert)
  -- A change that a list of the fleet shows is numbered; most records change nothing of it.
  if listed and fingerprint ~= '' and before[2] ~= fingerprint then
    redis.call('HSET', machine, 'fingerprint', fingerprint)
    note_change(KEYS[15], KEYS[16], row.machine_id)
  end
  if listed and evidence == '1' then add_evidence(record, row.ids, row.bytes) end
  local bucket = family .. ':' .. math.floor(math.log(math.max(latency, 1)) / log_base)
  buckets[bucket] = (buckets[bucket] or 0) + 1
  windows = windows + row.windows
  count('records:' .. family, 1)
  count('latency_ms:' .. family, latency)
  finish(KEYS[1], record, row, 'd')
  return 1
end

-- Add what the worker has done to its counts, which end with its heartbeat.
local function count_work(worker, tasks, diagnosis_s, busy_s, taken_s, life_s)
  redis.call('HSET', worker, 'last_family', family,
    'last_task_t', string.format('%.3f', now / 1000 - taken_s))
  add_to(worker, 'tasks_done', tasks)
  add_to(worker, 'windows_done', windows)
  add_to(worker, 'windows_done:' .. family, windows)
  add_to(worker, 'diagnosis_s', diagnosis_s, diagnosis_s, 'HINCRBYFLOAT')
  add_to(worker, 'busy_s', busy_s, busy_s, 'HINCRBYFLOAT')
  add_to(worker, 'busy_s:' .. family, busy_s, busy_s, 'HINCRBYFLOAT')
  redis.call('EXPIRE', worker, life_s)
end

-- An error leaves one record undone: the rows of the others go all the same, as their results stand.
local failed = 0
for i, record in ipairs(records) do
  local own = tonumber(take())
  local next_at = at + own
  local ok, answer = pcall(commit, i, record)
  if not ok then
    answer = type(answer) == 'table' and answer.err or tostring(answer)
    failed = failed + 1
  end
  answers[i], at = answer, next_at
end
for bucket, n in pairs(buckets) do add_to(KEYS[7], bucket, n) end
if windows > 0 then count('windows:' .. family, windows) end
settle(KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], index, families, ARGV[4])
if ARGV[8] ~= '' then count_work(KEYS[17], unpack(ARGV, 8, 12)) end
if failed > 0 and failed == #records then return redis.error_reply(answers[1]) end
return answers
