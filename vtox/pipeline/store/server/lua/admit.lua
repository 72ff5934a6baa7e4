-- Keep what one read of windows brought: marks, counts, arrivals, and for each window a row of
-- progress. The row says that the window is admitted: a pending entry without one is not, or is
-- finished. Answers the machines that were not listed before, then the time, s. No arrival is later
-- than that: ids stay ahead of a clock that was set back.
-- `partitions` is the number of them by which the bridge has chosen what to admit: with another one
-- in force a machine may be another bridge's by now.
-- KEYS lease machines counters progress partitions, then the marks of each machine
-- ARGV token windows_in senders_restarted marks_life_s renew_below_s partitions, and
--      lists that are led by their number of members: machine and arrival; id and progress; then per
--      machine two lists: mark and id, forgotten marks
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('LEASELOST') end
if (redis.call('HGET', KEYS[5], 'number') or '1') ~= ARGV[6] then
  return redis.error_reply('OTHERPARTITIONS')
end
local at, unlisted = 7, {}
local seconds = redis.call('TIME')
local now = seconds[1] + seconds[2] / 1e6

local function take()
  at = at + 1
  return ARGV[at - 1]
end

local function add(counter, n)
  if tonumber(n) > 0 then add_to(KEYS[3], counter, n) end
end

add('windows_in', ARGV[2])
add('senders_restarted', ARGV[3])
local machines, arrivals = {}, {}
for m = 1, tonumber(take()) do
  machines[m] = take()
  arrivals[2 * m - 1], arrivals[2 * m] = math.min(take(), now), machines[m]
end
if #machines > 0 then
  for m, listed in ipairs(redis.call('ZMSCORE', KEYS[2], unpack(machines))) do
    if not listed then unlisted[#unlisted + 1] = machines[m] end
  end
  redis.call('ZADD', KEYS[2], unpack(arrivals))
end
local rows = 2 * take()
if rows > 0 then redis.call('HSET', KEYS[4], unpack(ARGV, at, at + rows - 1)) end
at = at + rows
for machine = 6, #KEYS do
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
  if redis.call('TTL', KEYS[machine]) < tonumber(ARGV[5]) then
    redis.call('EXPIRE', KEYS[machine], ARGV[4])
  end
end
return {unlisted, tostring(now)}
