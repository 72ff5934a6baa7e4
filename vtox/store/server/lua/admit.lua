-- Keep what one read of windows brought: marks, counts, arrivals, and for each window a row of
-- progress. The row says that the window is admitted: a pending entry without one is not, or is
-- finished. Answers the machines that were not listed before, then the ids that are not pending any
-- more, which get no row: a worker finished them while the bridge was reading; then the time, s. No
-- arrival is later than that: ids stay ahead of a clock that was set back.
-- `partitions` is the number of them by which the bridge has chosen what to admit: with another one
-- in force a machine may be another bridge's by now.
-- KEYS lease machines counters progress raw partitions, then the marks of each machine
-- ARGV token group pending windows_in senders_restarted marks_life_s renew_below_s partitions, and
--      lists that are led by their number of members: machine and arrival; id and progress; then per
--      machine two lists: mark and id, forgotten marks
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('LEASELOST') end
if (redis.call('HGET', KEYS[6], 'number') or '1') ~= ARGV[8] then
  return redis.error_reply('OTHERPARTITIONS')
end
local at, unlisted, gone = 9, {}, {}
local seconds = redis.call('TIME')
local now = seconds[1] + seconds[2] / 1e6

local function take()
  at = at + 1
  return ARGV[at - 1]
end

local function add(counter, n)
  if tonumber(n) > 0 then redis.call('HINCRBY', KEYS[3], counter, n) end
end

add('windows_in', ARGV[4])
add('senders_restarted', ARGV[5])
for _ = 1, tonumber(take()) do
  local machine, arrived = take(), take()
  if not redis.call('ZSCORE', KEYS[2], machine) then unlisted[#unlisted + 1] = machine end
  redis.call('ZADD', KEYS[2], math.min(arrived, now), machine)
end
for _ = 1, tonumber(take()) do
  local id, letters = take(), take()
  if ARGV[3] == '1' and #redis.call('XPENDING', KEYS[5], ARGV[2], id, id, 1) == 0 then
    gone[#gone + 1] = id
  else
    redis.call('HSETNX', KEYS[4], id, letters)
  end
end
for machine = 7, #KEYS do
  local added = tonumber(take())
  if added > 0 then
    redis.call('HSET', KEYS[machine], unpack(ARGV, at, at + 2 * added - 1))
    at = at + 2 * added
  end
  local forgotten = tonumber(take())
  if forgotten > 0 then
    redis.call('HDEL', KEYS[machine], unpack(ARGV, at, at + forgotten - 1))
    at = at + forgotten
  end
  if redis.call('TTL', KEYS[machine]) < tonumber(ARGV[7]) then
    redis.call('EXPIRE', KEYS[machine], ARGV[6])
  end
end
return {unlisted, gone, tostring(now)}
