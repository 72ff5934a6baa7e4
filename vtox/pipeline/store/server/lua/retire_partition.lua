-- Delete a partition that is no longer in force, once all its windows are finished and older than the
-- retention. A sender that still adds to it makes it anew. Answers whether it is gone.
-- KEYS lease partitions raw progress bridge   ARGV token group number retention_ms
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return redis.error_reply('LEASELOST') end
if tonumber(ARGV[3]) < tonumber(redis.call('HGET', KEYS[2], 'number') or '1') then return 0 end
if redis.call('EXISTS', KEYS[3]) == 1 then
  local stream = redis.call('XINFO', 'STREAM', KEYS[3])
  local newest
  for i = 1, #stream, 2 do
    if stream[i] == 'last-generated-id' then newest = stream[i + 1] end
  end
  local t = redis.call('TIME')
  local age = t[1] * 1000 + math.floor(t[2] / 1000) - tonumber(string.match(newest, '^%d+'))
  if age >= 0 and age < tonumber(ARGV[4]) then return 0 end
  if redis.call('XPENDING', KEYS[3], ARGV[2])[1] > 0 then return 0 end
  for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[3])) do
    local read, ours
    for i = 1, #group, 2 do
      if group[i] == 'name' then ours = group[i + 1] == ARGV[2] end
      if group[i] == 'last-delivered-id' then read = group[i + 1] end
    end
    if ours and #redis.call('XRANGE', KEYS[3], '(' .. read, '+', 'COUNT', 1) > 0 then return 0 end
  end
end
redis.call('DEL', KEYS[3], KEYS[4], KEYS[5])
return 1
