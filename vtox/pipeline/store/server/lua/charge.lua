-- Charge a request to quotas that all processes share, all or none. A quota is kept as the time (ms)
-- until which its requests, and their bytes, use up what is allowed; a request passes while that is
-- at most the burst ahead. Answers -1 where the machine is new and there is no room for it, else how
-- many ms the sender must wait, 0 where the request is charged.
-- KEYS machines, then the quotas
-- ARGV machine, the most machines there may be, bytes, burst_ms, then per quota: requests a second,
--      bytes a second (0: no limit)
if not redis.call('ZSCORE', KEYS[1], ARGV[1])
  and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return -1 end
local now, bytes, burst = now_ms(), tonumber(ARGV[3]), tonumber(ARGV[4])
local wait, uses = 0, {}
for i = 2, #KEYS do
  local kept = redis.call('HMGET', KEYS[i], 'requests', 'bytes', 't')
  -- The clock was set back: what was charged by it would block the sender until it is there again.
  if tonumber(kept[3] or now) > now then kept = {} end
  for j = 1, 2 do
    local busy_until = math.max(tonumber(kept[j] or now), now)
    wait = math.max(wait, busy_until - now - burst)
    local rate = tonumber(ARGV[2 * i + j])
    local use = rate > 0 and 1000 * (j == 1 and 1 or bytes) / rate or 0
    uses[#uses + 1] = busy_until + use
  end
end
if wait > 0 then return math.ceil(wait) end
for i = 2, #KEYS do
  local requests, size = uses[2 * i - 3], uses[2 * i - 2]
  redis.call('HSET', KEYS[i], 'requests', string.format('%.3f', requests), 'bytes',
    string.format('%.3f', size), 't', string.format('%.0f', now))
  redis.call('PEXPIRE', KEYS[i], math.ceil(math.max(requests, size) - now) + 1)
end
return 0
