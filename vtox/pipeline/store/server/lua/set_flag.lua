-- Set or clear a flag of a machine, with an alert of each change; 1 on a change, else 0. A machine
-- that was retired meanwhile is left alone: nobody would ever clear its alert.
-- KEYS machine alerts machines open_alerts
-- ARGV machine flag on, then field, value, ... of the alert but its id and time
if not redis.call('ZSCORE', KEYS[3], ARGV[1]) then return 0 end
local on = ARGV[3] == '1'
local id = redis.call('HGET', KEYS[1], ARGV[2])
if on == (id ~= false) then return 0 end
local time = redis.call('TIME')
local t = string.format('%d.%03d', time[1], math.floor(time[2] / 1000))
local member = ARGV[1] .. '|' .. ARGV[2]
if on then
  redis.call('SADD', KEYS[4], member)
  id = ARGV[1] .. ':' .. ARGV[2] .. ':' .. string.gsub(t, '%.', '')
  redis.call('HSET', KEYS[1], ARGV[2], id)
else
  redis.call('SREM', KEYS[4], member)
  redis.call('HDEL', KEYS[1], ARGV[2])
end
redis.call('XADD', KEYS[2], '*', 'id', id, 't', t, unpack(ARGV, 4))
return 1
