-- Delete the finished entries behind unfinished ones, from an id on and before another, at most so
-- many; whoever sends slowly would else hold the windows of all others. Between two pending entries
-- next to each other all are finished. Answers how many are deleted, and the id to go on from,
-- empty at the end.
-- KEYS raw   ARGV group from before pending_at_once deleted_at_most
local raw, before, at_once, most = KEYS[1], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local pending = redis.call('XPENDING', raw, ARGV[1], ARGV[2], '(' .. before, at_once)
local deleted = 0
for i, entry in ipairs(pending) do
  local upto = pending[i + 1] and pending[i + 1][1] or before
  if i == at_once then return {deleted, entry[1]} end
  while true do
    local found = redis.call('XRANGE', raw, '(' .. entry[1], '(' .. upto, 'COUNT', 1)
    if not found[1] then break end
    if deleted == most then return {deleted, entry[1]} end
    deleted = deleted + redis.call('XDEL', raw, found[1][1])
  end
end
return {deleted, ''}
