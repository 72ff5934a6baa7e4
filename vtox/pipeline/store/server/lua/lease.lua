-- Take the lease, or renew one's own: 1 done, 0 not. A lease that ran out is not renewed, even if
-- it is free again: another bridge may have owned the stream since. One of before the server's clock
-- was set back lasts no longer than one of now: nobody may be there to renew it.
-- KEYS lease bridge   ARGV take|renew token previous_token life_ms pid host
local holder = redis.call('GET', KEYS[1])
if ARGV[1] == 'renew' and holder ~= ARGV[2] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[4], 'LT')
if ARGV[1] == 'take' and holder and holder ~= ARGV[3] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[4])
redis.call('HSET', KEYS[2], 'pid', ARGV[5], 'host', ARGV[6], 'last_seen_t', redis.call('TIME')[1])
return 1
