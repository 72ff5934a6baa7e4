-- One dead letter for all windows of a sender that were refused for one reason and got none of
-- their own; senders whose period is over are forgotten. Answers how many letters there are.
-- KEYS refusals dead_letters
-- ARGV period_ms
local now, letters = now_ms(), 0
local kept = redis.call('HGETALL', KEYS[1])
for i = 1, #kept, 2 do
  local s = decode_refused(kept[i + 1]) or {since = 0, bytes = 0, more = {}}
  local added = false
  for code, more in pairs(s.more) do
    local reason = 'the last of ' .. more.windows .. ' windows, whose entries are not kept: '
    redis.call('XADD', KEYS[2], '*', 'stream_id', more.first, 'last_stream_id', more.last,
      'windows', more.windows, 'machine_id', more.machine, 'seq', more.seq, 'family', '',
      'code', code, 'reason', reason .. more.reason, 'attempts', 0, 't', tostring(now / 1000))
    letters, added = letters + 1, true
  end
  if now - s.since > tonumber(ARGV[1]) or now < s.since then
    redis.call('HDEL', KEYS[1], kept[i])
  elseif added then
    s.more = {}
    redis.call('HSET', KEYS[1], kept[i], cjson.encode(s))
  end
end
return letters
