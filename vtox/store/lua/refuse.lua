-- An entry that no family will see: malformed (a dead letter) or a duplicate (counted only).
-- KEYS raw counters dead_letters   ARGV group id code reason machine seq maxlen maxbytes
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1)
if #pending == 0 then return 0 end
if ARGV[3] == 'duplicate' then
  redis.call('HINCRBY', KEYS[2], 'windows_duplicate', 1)
else
  bury(KEYS[1], KEYS[3], ARGV[7], tonumber(ARGV[8]), ARGV[2], '', ARGV[5], ARGV[6], ARGV[3],
    ARGV[4], 0)
  redis.call('HINCRBY', KEYS[2], 'windows_refused', 1)
end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
return 1
