-- Functions that stand before the other scripts.

-- Add to a number of a hash. If another program wrote something else it begins again: an error
-- would leave a commit half done, whose entries then come twice.
local function add_to(key, field, n, begin, command)
  local sum = redis.pcall(command or 'HINCRBY', key, field, n)
  if type(sum) == 'table' then
    sum = begin or n
    redis.call('HSET', key, field, sum)
  end
  return sum
end

-- Counts are summed and written once at the end.
local sums = {}
local function count(name, n) sums[name] = (sums[name] or 0) + n end
local function write_counts(counters)
  for name, n in pairs(sums) do add_to(counters, name, n, math.max(n, 0)) end
end

-- Lua hands so many values at once to a command; an even number keeps pairs together.
local PART = 1000

-- Call a command once for many members, after `first` where that is given; the sum of its replies.
local function change(command, key, members, first)
  local sum = 0
  for from = 1, #members, PART do
    local till = math.min(from + PART - 1, #members)
    if first then
      sum = sum + redis.call(command, key, first, unpack(members, from, till))
    else
      sum = sum + redis.call(command, key, unpack(members, from, till))
    end
  end
  return sum
end

-- Ask once for many members (HMGET, ZMSCORE): a reply for each, false where there is none.
local function ask(command, key, members)
  local replies = {}
  for from = 1, #members, PART do
    local till = math.min(from + PART - 1, #members)
    local part = redis.call(command, key, unpack(members, from, till))
    for i = from, till do replies[i] = part[i - from + 1] end
  end
  return replies
end

-- Number a change of a machine that a list of the fleet shows. The time, ms, is beyond all numbers
-- that were counted from 1.
local function note_change(fleet, fleet_changes, machine)
  local number = add_to(fleet, 'change', 1, redis.call('TIME')[1] * 1000)
  redis.call('ZADD', fleet_changes, number, machine)
end

-- Name the settings of a machine anew, as something that workers do not know yet.
local function name_settings(machine)
  local time = redis.call('TIME')
  redis.call('HSET', machine, 'settings', time[1] .. '.' .. time[2])
end

-- Records that a family has finished, and their entries with its letter: `d` (result) or `x` (dead
-- letter). `settle` writes the changes that follow, all at once.
local gone, finished, letters = {}, {}, {}

-- A family in a partition, as the name of its ledger says: `bearing`, in the second one `bearing:1`.
local function part(ledger) return string.match(ledger, '^vtox:ledger:(.+)$') end

local function finish(ledger, record, row, letter)
  gone[#gone + 1] = record
  count('in_flight_windows:' .. part(ledger), -row.windows)
  count('in_flight_bytes:' .. part(ledger), -row.bytes)
  for id in string.gmatch(row.ids, '%S+') do
    finished[#finished + 1], letters[#letters + 1] = id, letter
  end
end

-- Remove the records that were finished, and write the counts. An entry leaves the pending list when
-- no family is open or at work on it; only then it counts, once, as done or as dead.
local function settle(ledger, due, attempts, progress, counters, raw, index, families, group)
  local starts, open, closed, ends = {}, {}, {}, {windows_done = {}, windows_dead = {}}
  for _, record in ipairs(gone) do
    starts[#starts + 1], starts[#starts + 2] = record, record .. '|start'
  end
  change('HDEL', ledger, gone)
  change('ZREM', due, gone)
  change('HDEL', attempts, starts)
  for i, marks in ipairs(ask('HMGET', progress, finished)) do
    marks = marks or string.rep('-', families)
    marks = string.sub(marks, 1, index - 1) .. letters[i] .. string.sub(marks, index + 1)
    if string.find(marks, '[-a]') then
      open[#open + 1], open[#open + 2] = finished[i], marks
    else
      closed[#closed + 1] = finished[i]
      local ended = ends[string.find(marks, 'x') and 'windows_dead' or 'windows_done']
      ended[#ended + 1] = finished[i]
    end
  end
  change('HSET', progress, open)
  change('HDEL', progress, closed)
  for name, ids in pairs(ends) do
    change('XACK', raw, ids, group)
    if #ids > 0 then count(name, #ids) end
  end
  write_counts(counters)
end

-- The table of a JSON, nil where another version or program wrote something else.
local function decode_table(text)
  local ok, found = pcall(cjson.decode, text or '')
  if ok and type(found) == 'table' then return found end
end

-- The number of a version, 0 for what is none. Lua writes more than 14 digits with an exponent.
local function decode_version(text)
  local digits = string.match(tostring(text), '^%d+$')
  return digits and #digits < 14 and tonumber(digits) or 0
end

-- The last version of a machine's setting. If its counter is damaged, the present one counts: no
-- version names two of them.
local function last_version(machine, counter, field)
  local present = decode_table(redis.call('HGET', machine, field)) or {}
  return math.max(decode_version(redis.call('HGET', machine, counter)),
    decode_version(present.version))
end

-- A time in ms, nil for what is none.
local function decode_ms(n)
  if type(n) == 'number' and n >= 0 and n < 1e14 then return n end
end

-- The row of a condition of the system, without what is damaged.
local function decode_condition(text)
  local s = decode_table(text) or {}
  local alarm = {since = decode_ms(s.since), seen = decode_ms(s.seen), over = decode_ms(s.over)}
  if type(s.id) == 'string' and (s.level == 'warning' or s.level == 'fault') then
    alarm.id, alarm.level = s.id, s.level
  end
  -- While it is over nothing writes these anew.
  if type(s.code) == 'string' then alarm.code = s.code end
  if type(s.values) == 'string' then alarm.values = s.values end
  return alarm
end

-- The refusals of a sender, nil if they are damaged.
local function decode_refused(text)
  local s = decode_table(text)
  if not s or type(s.since) ~= 'number' or type(s.bytes) ~= 'number' or type(s.more) ~= 'table' then
    return nil
  end
  for code, more in pairs(s.more) do
    if type(code) ~= 'string' or type(more) ~= 'table' or type(more.windows) ~= 'number' then
      return nil
    end
    for _, name in ipairs({'first', 'last', 'machine', 'reason', 'seq'}) do
      if type(more[name]) ~= 'string' then return nil end
    end
  end
  return s
end

-- The row of a record, nil where it is damaged.
local function decode_row(text)
  local ok, row = pcall(cjson.decode, text)
  if ok and type(row) == 'table' and type(row.machine_id) == 'string'
    and type(row.first_seq) == 'number' and type(row.windows) == 'number'
    and type(row.bytes) == 'number' and type(row.ids) == 'string'
    and string.match(row.ids, '%d+%-%d+$') then return row end
end

-- Remove a damaged row. Which windows it held is learnt from the others: what is assigned and in no
-- row is open again. So are the counts in flight.
local function drop_row(ledger, due, attempts, progress, counters, index, record)
  redis.call('HDEL', ledger, record)
  redis.call('ZREM', due, record)
  redis.call('HDEL', attempts, record, record .. '|start')
  local held, windows, bytes = {}, 0, 0
  for _, text in ipairs(redis.call('HVALS', ledger)) do
    local row = decode_row(text)
    if row then
      windows, bytes = windows + row.windows, bytes + row.bytes
      for id in string.gmatch(row.ids, '%S+') do held[id] = true end
    end
  end
  redis.call('HSET', counters, 'in_flight_windows:' .. part(ledger), windows,
    'in_flight_bytes:' .. part(ledger), bytes)
  local letters = redis.call('HGETALL', progress)
  for i = 1, #letters, 2 do
    local id, marks = letters[i], letters[i + 1]
    if string.sub(marks, index, index) == 'a' and not held[id] then
      redis.call('HSET', progress, id,
        string.sub(marks, 1, index - 1) .. '-' .. string.sub(marks, index + 1))
    end
  end
end

local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- A dead letter carries the entry itself (its fields as `entry.<name>`) so that it can be replayed.
-- Returns about how many bytes it takes.
local function bury(raw, dead_letters, maxbytes, id, family, machine, seq, code, reason, attempts)
  local args = {'stream_id', id, 'machine_id', machine, 'seq', seq, 'family', family, 'code', code,
    'reason', reason, 'attempts', attempts, 't', tostring(now_ms() / 1000)}
  -- Entries of two partitions may have one id.
  if raw ~= 'motor_raw_data' then args[#args + 1] = 'stream'; args[#args + 1] = raw end
  local found = redis.call('XRANGE', raw, id, id)
  local taken = 200 + #reason
  if found[1] then
    local size = 0
    for _, value in ipairs(found[1][2]) do size = size + #value end
    if size <= maxbytes and #found[1][2] < 256 then
      taken = taken + size
      for i = 1, #found[1][2], 2 do
        args[#args + 1] = 'entry.' .. found[1][2][i]
        args[#args + 1] = found[1][2][i + 1]
      end
    end
  end
  redis.call('XADD', dead_letters, '*', unpack(args))
  count('dead_letters:' .. code, 1)
  return taken
end
