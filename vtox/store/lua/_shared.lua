-- Shared by the scripts below it. Counts are summed over a call and written once at its end.
local sums = {}
local function count(name, n) sums[name] = (sums[name] or 0) + n end
local function write_counts(counters)
  for name, n in pairs(sums) do redis.call('HINCRBY', counters, name, n) end
end

-- One family is through with the entries of a record. `letter` is `d` (result) or `x` (dead
-- letter). An entry leaves the pending list when no family is open or at work on it; only then it
-- counts, once, as done or as dead.
local function finish(raw, group, progress, index, families, ids, letter)
  for id in string.gmatch(ids, '%S+') do
    local letters = redis.call('HGET', progress, id) or string.rep('-', families)
    letters = string.sub(letters, 1, index - 1) .. letter .. string.sub(letters, index + 1)
    if string.find(letters, '[-a]') then
      redis.call('HSET', progress, id, letters)
    else
      redis.call('HDEL', progress, id)
      if redis.call('XACK', raw, group, id) == 1 then
        count(string.find(letters, 'x') and 'windows_dead' or 'windows_done', 1)
      end
    end
  end
end

local function forget(ledger, due, attempts, family, record, row)
  redis.call('HDEL', ledger, record)
  redis.call('ZREM', due, record)
  redis.call('HDEL', attempts, record)
  count('in_flight_windows:' .. family, -row.windows)
  count('in_flight_bytes:' .. family, -row.bytes)
end

local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- A dead letter carries the entry itself (its fields as `entry.<name>`) so that it can be replayed.
local function bury(raw, letters, maxbytes, id, family, machine, seq, code, reason, attempts)
  local args = {'stream_id', id, 'machine_id', machine, 'seq', seq, 'family', family, 'code', code,
    'reason', reason, 'attempts', attempts, 't', tostring(now_ms() / 1000)}
  local found = redis.call('XRANGE', raw, id, id)
  if found[1] then
    local size = 0
    for _, value in ipairs(found[1][2]) do size = size + #value end
    if size <= maxbytes and #found[1][2] < 256 then
      for i = 1, #found[1][2], 2 do
        args[#args + 1] = 'entry.' .. found[1][2][i]
        args[#args + 1] = found[1][2][i + 1]
      end
    end
  end
  redis.call('XADD', letters, '*', unpack(args))
end
