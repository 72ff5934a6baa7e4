-- Keep the nameplate of a machine; 0 where it is new and there is no room for it, else 1.
-- KEYS machines machine fleet fleet_changes
-- ARGV machine, nameplate, the most machines there may be (0: no limit)
local limit = tonumber(ARGV[3])
local new = not redis.call('ZSCORE', KEYS[1], ARGV[1])
if new and limit > 0 and redis.call('ZCARD', KEYS[1]) >= limit then return 0 end
redis.call('HSET', KEYS[2], 'motor', ARGV[2])
name_settings(KEYS[2])
redis.call('ZADD', KEYS[1], 'NX', 0, ARGV[1])
note_change(KEYS[3], KEYS[4], ARGV[1])
return 1
