-- Add a batch to the counts of a worker, and say when it was taken; one command where eight cost a
-- worker four times as much.
-- KEYS worker
-- ARGV family windows diagnosis_s busy_s life_s
local worker, family, windows, busy_s = KEYS[1], ARGV[1], ARGV[2], ARGV[4]
local time = redis.call('TIME')
local taken_t = time[1] + time[2] / 1e6 - busy_s
redis.call('HSET', worker, 'last_family', family, 'last_task_t', string.format('%.3f', taken_t))
redis.call('HINCRBY', worker, 'tasks_done', 1)
for _, name in ipairs({'windows_done', 'windows_done:' .. family}) do
  redis.call('HINCRBY', worker, name, windows)
end
redis.call('HINCRBYFLOAT', worker, 'diagnosis_s', ARGV[3])
for _, name in ipairs({'busy_s', 'busy_s:' .. family}) do
  redis.call('HINCRBYFLOAT', worker, name, busy_s)
end
redis.call('EXPIRE', worker, ARGV[5])
