-- Keep a setting of a machine as its next version, with those before it; answers the new version, 0
-- where the machine is not known, or minus (the present version + 1) where another was expected.
-- KEYS machines machine
-- ARGV machine, field, JSON table of the setting, how many versions are kept, version expected
--      (empty: any)
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) then return 0 end
local field, counter = ARGV[2], ARGV[2] .. '_version'
local version = last_version(KEYS[2], counter, field)
if ARGV[5] ~= '' and tonumber(ARGV[5]) ~= version then return -version - 1 end
version = version + 1
local time = redis.call('TIME')
local head = string.format('{"version":%d,"t":%d.%03d,', version, time[1], math.floor(time[2] / 1000))
local text = head .. string.sub(ARGV[3], 2)
redis.call('HSET', KEYS[2], field, text, field .. ':' .. version, text, counter, version)
name_settings(KEYS[2])
redis.call('HDEL', KEYS[2], field .. ':' .. (version - tonumber(ARGV[4])))
return version
