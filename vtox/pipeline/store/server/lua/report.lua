-- A worker reports a start that ended without a result, whose worker lives: the records are due at
-- once. A start that the server's own absence has interrupted does not count as an attempt.
-- KEYS due attempts   ARGV token interrupted (1 or 0), then record ids
for a = 3, #ARGV do
  local record = ARGV[a]
  local mark = redis.call('HGET', KEYS[2], record .. '|start')
  if mark and string.match(mark, '^%S+') == ARGV[1] then
    redis.call('HDEL', KEYS[2], record .. '|start')
    redis.call('ZADD', KEYS[1], 0, record)
    if ARGV[2] == '1' then add_to(KEYS[2], record, -1, 0) end
  end
end
