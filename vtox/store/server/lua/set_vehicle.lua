-- Keep the vehicle that a machine is in.
-- KEYS machine fleet fleet_changes
-- ARGV machine vehicle
redis.call('HSET', KEYS[1], 'vehicle_id', ARGV[2])
note_change(KEYS[2], KEYS[3], ARGV[1])
