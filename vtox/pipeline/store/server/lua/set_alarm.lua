-- Keep a condition of the system, and write its alarm: raised once it has held for long enough,
-- escalated, cleared once it has been over for long enough. Returns the event, empty for none.
-- `since` is when the condition began, `seen` when it was last observed, `over` since when it is
-- over; `id` is that of the alarm while it is raised.
-- KEYS alarms alerts
-- ARGV name holds level code values reason raise_after_ms clear_after_ms forget_after_ms
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local name, holds, level, code, values = ARGV[1], ARGV[2] == '1', ARGV[3], ARGV[4], ARGV[5]
local alarm = decode_condition(redis.call('HGET', KEYS[1], name))
-- Whether it held between two observations far apart is not known: it begins anew. The clock may
-- have been set back since.
if alarm.seen and not alarm.id and math.abs(now - alarm.seen) > tonumber(ARGV[9]) then alarm = {} end
local event = ''

if holds then
  alarm.since, alarm.seen, alarm.over = alarm.since or now, now, nil
  alarm.code, alarm.values = code, values
  if not alarm.id and now - alarm.since >= tonumber(ARGV[7]) then
    event, alarm.level = 'raised', level
    alarm.id = string.format('system:%s:%d', name, alarm.since)
  elseif alarm.id and alarm.level == 'warning' and level == 'fault' then
    event, alarm.level = 'escalated', level
  end
elseif not alarm.id then
  redis.call('HDEL', KEYS[1], name)
  return event
else
  alarm.over = math.min(alarm.over or now, now)
  if now - alarm.over >= tonumber(ARGV[8]) then event = 'cleared' end
end

if event == 'cleared' then
  redis.call('HDEL', KEYS[1], name)
else
  redis.call('HSET', KEYS[1], name, cjson.encode(alarm))
end
if event ~= '' then
  local at = event == 'raised' and alarm.since or now
  redis.call('XADD', KEYS[2], '*', 'id', alarm.id, 'machine_id', '', 'fault', name,
    'level', alarm.level, 'event', event, 't', string.format('%.3f', at / 1000),
    'code', code, 'reason', ARGV[6], 'values', values)
end
return event
