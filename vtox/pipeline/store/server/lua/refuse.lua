-- Entries that no family will see: malformed (a dead letter) or duplicates (counted only). If
-- families have assigned one to records already, it stays theirs and is dead for the others.
-- A machine fills `dead_letters` with at most `budget` bytes in `period`, machines that are not
-- listed share one budget. Refusals beyond it are counted in `refusals` until the next summary.
-- KEYS lease raw counters dead_letters progress machines refusals
-- ARGV token group maxbytes budget period_ms, then per entry: id code reason machine seq
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('LEASELOST') end
local maxbytes, budget, period = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local now, senders = now_ms(), {}

local function sender(machine)
  local name = redis.call('ZSCORE', KEYS[6], machine) and machine or ''
  if not senders[name] then
    local text = redis.call('HGET', KEYS[7], name)
    senders[name] = decode_refused(text) or {since = now, bytes = 0, more = {}}
  end
  local s = senders[name]
  if now - s.since > period or now < s.since then s.since, s.bytes = now, 0 end
  return s
end

local function add_letter(id, code, reason, machine, seq)
  local s = sender(machine)
  if s.bytes < budget then
    s.bytes = s.bytes + bury(KEYS[2], KEYS[4], maxbytes, id, '', machine, seq, code, reason, 0)
    return
  end
  local more = s.more[code] or {windows = 0, first = id, machine = machine}
  if more.machine ~= machine then more.machine = '' end
  more.windows, more.last, more.reason, more.seq = more.windows + 1, id, reason, seq
  s.more[code] = more
  count('dead_letters:' .. code, 1)
end

local function refuse(id, code, reason, machine, seq)
  if #redis.call('XPENDING', KEYS[2], ARGV[2], id, id, 1) == 0 then return end
  local letters = redis.call('HGET', KEYS[5], id)
  local assigned = letters and string.find(letters, 'a', 1, true)
  if assigned and not string.find(letters, '-', 1, true) then return end
  if code == 'duplicate' then
    count('windows_duplicate', 1)
  else
    add_letter(id, code, reason, machine, seq)
    -- With a row of progress it was admitted, and counted, before.
    if not assigned then count(letters and 'windows_dead' or 'windows_refused', 1) end
  end
  if assigned then
    redis.call('HSET', KEYS[5], id, (string.gsub(letters, '-', 'x')))
  else
    redis.call('HDEL', KEYS[5], id)
    redis.call('XACK', KEYS[2], ARGV[2], id)
  end
end

for a = 6, #ARGV, 5 do refuse(unpack(ARGV, a, a + 4)) end
for name, s in pairs(senders) do redis.call('HSET', KEYS[7], name, cjson.encode(s)) end
write_counts(KEYS[3])
return 1
