-- Take or renew a lease: 1 newly taken, 2 renewed, 0 held by another.
-- KEYS lease bridge   ARGV token life_ms pid host
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('HSET', KEYS[2], 'pid', ARGV[3], 'host', ARGV[4], 'last_seen_t', redis.call('TIME')[1])
return holder and 2 or 1
