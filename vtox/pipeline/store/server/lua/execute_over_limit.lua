-- Execute plain commands that the server has refused for want of memory, and return their replies.
-- ARGV per command: its number of words, then the words
local replies, at = {}, 1
while at <= #ARGV do
  local last = at + tonumber(ARGV[at])
  replies[#replies + 1] = redis.call(unpack(ARGV, at + 1, last))
  at = last + 1
end
return replies
