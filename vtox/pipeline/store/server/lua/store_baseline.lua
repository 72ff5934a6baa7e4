-- Keep a baseline of a machine as its next version; answers the version. One that a worker has learnt
-- is kept only while the machine is known and has the baseline from which it was learnt; else 0.
-- KEYS machines machine fleet fleet_changes
-- ARGV machine, baseline, JSON table of what is known of it, field of the learning notes,
--      whether it is learnt (1 or 0), the baseline from which it was learnt (empty: none)
if ARGV[5] == '1' then
  local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
  if not known or (redis.call('HGET', KEYS[2], 'baseline') or '') ~= ARGV[6] then return 0 end
end
local version = last_version(KEYS[2], 'baseline_version', 'baseline_info') + 1
local info = '{"version":' .. version .. ',' .. string.sub(ARGV[3], 2)
redis.call('HSET', KEYS[2], 'baseline', ARGV[2], 'baseline_info', info,
  'baseline_version', version)
redis.call('HDEL', KEYS[2], ARGV[4])
name_settings(KEYS[2])
redis.call('ZADD', KEYS[1], 'NX', 0, ARGV[1])
note_change(KEYS[3], KEYS[4], ARGV[1])
return version
