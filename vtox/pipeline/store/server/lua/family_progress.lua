-- The progress of the families with entries: for each id its row of progress, empty for one that is
-- pending and not admitted, false for one that is not pending any more. Row and pending list are looked
-- at in one step: a window that a worker finishes leaves both at once, and would be taken for a new one.
-- KEYS progress raw   ARGV group, then ids
local found = {}
for a = 2, #ARGV do
  local id = ARGV[a]
  found[a - 1] = redis.call('HGET', KEYS[1], id)
  if not found[a - 1] and #redis.call('XPENDING', KEYS[2], ARGV[1], id, id, 1) > 0 then
    found[a - 1] = ''
  end
end
return found
