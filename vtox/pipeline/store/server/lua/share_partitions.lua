-- A bridge process says that it lives, and learns what there is to share.
-- Partitions are served that are in force, and those beyond that still have a stream.
-- KEYS partitions bridges, then stream and lease of each partition that may be
-- ARGV name life_ms first (1 or 0)
-- Answers: whether the process counts, the number in force (0: none), the names of the bridges that
-- live, oldest first, the partitions served, and those of them that nobody owns.
local t = redis.call('TIME')
local now, life = t[1] * 1000 + math.floor(t[2] / 1000), tonumber(ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - life)
-- The clock was set back since.
redis.call('ZREMRANGEBYSCORE', KEYS[2], now + life, '+inf')
local known = ARGV[3] == '1' or redis.call('ZSCORE', KEYS[2], ARGV[1]) ~= false
if known then redis.call('ZADD', KEYS[2], now, ARGV[1]) end
local kept = redis.call('HMGET', KEYS[1], 'number', 'served')
local number = tonumber(kept[1] or '0')
local served, free = {}, {}
for p = 0, (#KEYS - 4) / 2 do
  if p < math.max(number, 1) or redis.call('EXISTS', KEYS[2 * p + 3]) == 1 then
    served[#served + 1] = p
    if redis.call('EXISTS', KEYS[2 * p + 4]) == 0 then free[#free + 1] = p end
  end
end
local all = table.concat(served, ' ')
if kept[2] ~= all then redis.call('HSET', KEYS[1], 'served', all) end
local names = redis.call('ZRANGE', KEYS[2], 0, -1)
table.sort(names)
return {known and 1 or 0, number, names, served, free}
