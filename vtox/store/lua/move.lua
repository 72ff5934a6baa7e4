-- Entries of machines that are in other partitions go there, before anybody has admitted them: what
-- is moved is pending there and gone here. `arrived_ms` keeps when it came first.
-- KEYS lease partitions raw progress counters, then the streams of the other partitions
-- ARGV token group partitions, then per entry: id, number of its stream, ms at which it came
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('LEASELOST') end
if (redis.call('HGET', KEYS[2], 'number') or '1') ~= ARGV[3] then
  return redis.error_reply('OTHERPARTITIONS')
end
local raw, moved = KEYS[3], 0
for a = 4, #ARGV, 3 do
  local id, to, arrived = ARGV[a], tonumber(ARGV[a + 1]), ARGV[a + 2]
  local pending = #redis.call('XPENDING', raw, ARGV[2], id, id, 1) == 1
  if pending and redis.call('HEXISTS', KEYS[4], id) == 0 then
    local fields = redis.call('XRANGE', raw, id, id)[1]
    if fields then
      local kept = {'arrived_ms', arrived}
      for i = 1, #fields[2], 2 do
        if fields[2][i] ~= 'arrived_ms' then
          kept[#kept + 1], kept[#kept + 2] = fields[2][i], fields[2][i + 1]
        end
      end
      redis.call('XADD', KEYS[5 + to], '*', unpack(kept))
      redis.call('XACK', raw, ARGV[2], id)
      redis.call('XDEL', raw, id)
      moved = moved + 1
    end
  end
end
if moved > 0 then redis.call('HINCRBY', KEYS[5], 'windows_moved', moved) end
return moved
