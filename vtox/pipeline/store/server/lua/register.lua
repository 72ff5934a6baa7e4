-- Keep the nameplate of a machine, or, without one, that it sends scalars; 0 where it is new and there is no room for it, else 1.
-- KEYS machines machine fleet fleet_changes
-- ARGV machine, nameplate (empty: it sends scalars), the most machines there may be (0: no limit)
local limit = tonumber(ARGV[3])
local new = not redis.call('ZSCORE', KEYS[1], ARGV[1])
if new and limit > 0 and redis.call('ZCARD', KEYS[1]) >= limit then return 0 end
if ARGV[2] == '' then
  -- A machine that has sent scalars alone arrives with them: its arrival is the time of the last.
  -- By the second, and of one that sends windows by the hour: a write with each reading would fill
  -- the server's log.
  local now, last_ms = now_ms(), tonumber(redis.call('HGET', KEYS[2], 'scalars_ms') or '') or 0
  local arrived = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '') or 0
  local alone = arrived == 0 or math.abs(1000 * arrived - last_ms) < 0.5
  if math.abs(now - last_ms) > (alone and 1000 or 3600000) or (alone and arrived == 0) then
    redis.call('HSET', KEYS[2], 'scalars_ms', string.format('%.0f', now))
    if alone then redis.call('ZADD', KEYS[1], string.format('%.3f', now / 1000), ARGV[1]) end
  end
  if not new then return 1 end
else
  redis.call('HSET', KEYS[2], 'motor', ARGV[2])
  name_settings(KEYS[2])
end
redis.call('ZADD', KEYS[1], 'NX', 0, ARGV[1])
note_change(KEYS[3], KEYS[4], ARGV[1])
return 1
