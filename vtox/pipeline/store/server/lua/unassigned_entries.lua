-- Pending entries, from an id on, that some family has not assigned to a record: ids, and the last
-- id looked at, empty at the end. KEYS raw progress   ARGV group start count
local pending = redis.call('XPENDING', KEYS[1], ARGV[1], ARGV[2], '+', ARGV[3])
local open, last = {}, ''
for _, entry in ipairs(pending) do
  last = entry[1]
  local letters = redis.call('HGET', KEYS[2], last)
  if not letters or string.find(letters, '-', 1, true) then open[#open + 1] = last end
end
if #pending < tonumber(ARGV[3]) then last = '' end
return {last, open}
