-- Set or clear a flag of a machine, with an alert of each change; 1 on a change, else 0. A machine
-- that was retired meanwhile is left alone: nobody would ever clear its alert.
-- KEYS machine alerts machines
-- ARGV machine flag on new_id, then field, value, ... of the alert but its id
if not redis.call('ZSCORE', KEYS[3], ARGV[1]) then return 0 end
local on = ARGV[3] == '1'
local id = redis.call('HGET', KEYS[1], ARGV[2])
if on == (id ~= false) then return 0 end
if on then
  id = ARGV[4]
  redis.call('HSET', KEYS[1], ARGV[2], id)
else
  redis.call('HDEL', KEYS[1], ARGV[2])
end
redis.call('XADD', KEYS[2], '*', 'id', id, unpack(ARGV, 5))
return 1
