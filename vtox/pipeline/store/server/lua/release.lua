-- Give the lease back, unless another bridge has it by now. KEYS lease bridge   ARGV token
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1], KEYS[2])
