-- Entries of machines that are in other partitions go there, before anybody has admitted them: what
-- is moved is unread there and gone here. They are pending, as only who holds the lease admits, moves
-- or refuses. Its own fields of VTOX (`own_fields.py`) are those given.
-- KEYS lease partitions raw counters, then the streams of the other partitions
-- ARGV token group partitions, then per entry: id, number of its stream, number of own fields and
--      values, field, value, ...
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('LEASELOST') end
if (redis.call('HGET', KEYS[2], 'number') or '1') ~= ARGV[3] then
  return redis.error_reply('OTHERPARTITIONS')
end
local OWN = {replay_of = 1, replay_family = 1, arrived_ms = 1, signature = 1}
local raw, moved, a = KEYS[3], 0, 4
while a <= #ARGV do
  local id, to, length = ARGV[a], tonumber(ARGV[a + 1]), tonumber(ARGV[a + 2])
  local fields = redis.call('XRANGE', raw, id, id)[1]
  if fields then
    local kept = {unpack(ARGV, a + 3, a + 2 + length)}
    for i = 1, #fields[2], 2 do
      if not OWN[fields[2][i]] then
        kept[#kept + 1], kept[#kept + 2] = fields[2][i], fields[2][i + 1]
      end
    end
    redis.call('XADD', KEYS[4 + to], '*', unpack(kept))
    redis.call('XACK', raw, ARGV[2], id)
    redis.call('XDEL', raw, id)
    moved = moved + 1
  end
  a = a + 3 + length
end
if moved > 0 then add_to(KEYS[4], 'windows_moved', moved) end
return moved
