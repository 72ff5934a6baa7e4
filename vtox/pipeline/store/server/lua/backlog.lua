-- How far the work is behind: the server's time in ms, and the ids of the oldest window that is
-- unread, of the oldest that is unfinished, of the oldest pending one that arrived before a time
-- and that some family has not assigned to a record, and of the newest ever added; empty for none.
-- KEYS raw progress   ARGV group, number of ms, pending entries looked at in one step
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local nothing = {now, '', '', '', ''}
if redis.call('EXISTS', KEYS[1]) == 0 then return nothing end

local function table_of(reply)
  local fields = {}
  for i = 1, #reply, 2 do fields[reply[i]] = reply[i + 1] end
  return fields
end

local read
for _, group in ipairs(redis.call('XINFO', 'GROUPS', KEYS[1])) do
  local fields = table_of(group)
  if fields['name'] == ARGV[1] then read = fields['last-delivered-id'] end
end
if not read then return nothing end
local unread = redis.call('XRANGE', KEYS[1], '(' .. read, '+', 'COUNT', 1)[1]
local pending = redis.call('XPENDING', KEYS[1], ARGV[1])
local unassigned, start = '', '-'
local before = now - tonumber(ARGV[2])
while start do
  local entries = redis.call('XPENDING', KEYS[1], ARGV[1], start, tostring(before), ARGV[3])
  for _, entry in ipairs(entries) do
    local letters = redis.call('HGET', KEYS[2], entry[1])
    if unassigned == '' and (not letters or string.find(letters, '-', 1, true)) then
      unassigned = entry[1]
    end
  end
  start = #entries == tonumber(ARGV[3]) and unassigned == '' and '(' .. entries[#entries][1]
end
local newest = table_of(redis.call('XINFO', 'STREAM', KEYS[1]))['last-generated-id']
return {now, unread and unread[1] or '', pending[2] or '', unassigned, newest}
