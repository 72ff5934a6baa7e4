-- An entry that no family will see: malformed (a dead letter) or a duplicate (counted only).
-- KEYS raw counters dead_letters   ARGV group id code reason machine seq maxbytes
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], ARGV[2], 1)
if #pending == 0 then return 0 end
if ARGV[3] == 'duplicate' then
  count('windows_duplicate', 1)
else
  bury(KEYS[1], KEYS[3], tonumber(ARGV[7]), ARGV[2], '', ARGV[5], ARGV[6], ARGV[3], ARGV[4], 0)
  count('windows_refused', 1)
end
redis.call('XACK', KEYS[1], ARGV[1], ARGV[2])
write_counts(KEYS[2])
return 1
