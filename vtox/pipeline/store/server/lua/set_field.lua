-- Keep a field of a machine; a change that others have to see is numbered.
-- KEYS machine fleet fleet_changes
-- ARGV machine field value noted
redis.call('HSET', KEYS[1], ARGV[2], ARGV[3])
if ARGV[4] == '1' then note_change(KEYS[2], KEYS[3], ARGV[1]) end
