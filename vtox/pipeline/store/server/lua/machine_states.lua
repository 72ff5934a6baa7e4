-- The parts of machines' states that a worker does not have yet; answers for each: settings (false: those
-- it knows), their name, version, and memory and meter (false: those of the version it knows).
-- KEYS the machines   ARGV for each: the name of the settings and the version that it knows, or empty;
--      version *: memory and meter are not asked for
local answers = {}
for i, machine in ipairs(KEYS) do
  local present = redis.pcall('HMGET', machine, 'settings', 'version')
  -- Somebody wrote another type over it, and our values are gone: the machine begins anew.
  if present.err then
    redis.call('DEL', machine)
    present = {}
  end
  local name, version = present[1] or '', present[2] or '0'
  local settings, changed = false, false
  -- Settings without a name may have been changed by anybody.
  if name == '' or name ~= ARGV[2 * i - 1] then
    settings = redis.call('HMGET', machine, 'motor', 'baseline', 'baseline_info', 'sensitivity', 'channel_map',
      'dismissals')
  end
  local known = ARGV[2 * i]
  if known ~= '*' and known ~= version then changed = redis.call('HMGET', machine, 'memory', 'meter') end
  answers[i] = {settings, name, version, changed}
end
return answers
