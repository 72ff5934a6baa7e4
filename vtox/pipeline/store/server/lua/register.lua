-- Keep the nameplate of a machine, or, without one, that it sends scalars; 0 where it is new and there is no room for it, else 1.
-- KEYS machines machine fleet fleet_changes
-- ARGV machine, nameplate (empty: it sends scalars), the most machines there may be (0: no limit)
local limit = tonumber(ARGV[3])
local new = not redis.call('ZSCORE', KEYS[1], ARGV[1])
if new and limit > 0 and redis.call('ZCARD', KEYS[1]) >= limit then return 0 end
if ARGV[2] == '' then
  -- By the hour: a write with each reading would fill the server's log.
  local now = now_ms()
  if now - (tonumber(redis.call('HGET', KEYS[2], 'scalars_ms') or '') or 0) > 3600000 then
    redis.call('HSET', KEYS[2], 'scalars_ms', string.format('%.0f', now))
  end
  if not new then return 1 end
else
  redis.call('HSET', KEYS[2], 'motor', ARGV[2])
  name_settings(KEYS[2])
end
redis.call('ZADD', KEYS[1], 'NX', 0, ARGV[1])
note_change(KEYS[3], KEYS[4], ARGV[1])
return 1
