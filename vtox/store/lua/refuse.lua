-- An entry that no family will see: malformed (a dead letter) or a duplicate (counted only). Where
-- families have assigned it to records already, it stays theirs and is dead for the others.
-- KEYS lease raw counters dead_letters progress
-- ARGV token group id code reason machine seq maxbytes
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('LEASELOST') end
local id, code = ARGV[3], ARGV[4]
if #redis.call('XPENDING', KEYS[2], ARGV[2], id, id, 1) == 0 then return 0 end
local letters = redis.call('HGET', KEYS[5], id)
local assigned = letters and string.find(letters, 'a', 1, true)
if assigned and not string.find(letters, '-', 1, true) then return 0 end
if code == 'duplicate' then
  count('windows_duplicate', 1)
else
  bury(KEYS[2], KEYS[4], tonumber(ARGV[8]), id, '', ARGV[6], ARGV[7], code, ARGV[5], 0)
  -- With a row of progress it was admitted, and counted, before.
  if not assigned then count(letters and 'windows_dead' or 'windows_refused', 1) end
end
if assigned then
  redis.call('HSET', KEYS[5], id, (string.gsub(letters, '-', 'x')))
else
  redis.call('HDEL', KEYS[5], id)
  redis.call('XACK', KEYS[2], ARGV[2], id)
end
write_counts(KEYS[3])
return 1
