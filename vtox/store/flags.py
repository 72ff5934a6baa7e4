"""Conditions of a machine that are not faults (silent, clock off): each one alert per episode."""

import time

from vtox import keys
from vtox.store.client import Client
from vtox.store.overlimit import SHEBANG

# Flag -> what it says while it is set.
FLAGS = {
    "silent": "no window arrives",
    "clock": "t0 is far from the time of arrival",
}

# A machine retired meanwhile is left alone: nobody would ever clear its alert.
_SCRIPT = """
if not redis.call('ZSCORE', KEYS[3], ARGV[4]) then return 0 end
local on = ARGV[2] == '1'
local id = redis.call('HGET', KEYS[1], ARGV[1])
if on == (id ~= false) then return 0 end
if on then
  id = ARGV[3]
  redis.call('HSET', KEYS[1], ARGV[1], id)
else
  redis.call('HDEL', KEYS[1], ARGV[1])
end
redis.call('XADD', KEYS[2], '*', 'id', id, 'machine_id', ARGV[4], 'fault', ARGV[1],
  'level', 'warning', 'event', on and 'raised' or 'cleared', 't', ARGV[5], 'reason', ARGV[6])
return 1
"""


def set_flag(client: Client, machine_id: str, flag: str, on: bool, reason: str) -> bool:
    """Set or clear `flag` (`silent`, `clock`); an alert tells of each change.

    True on a change; nothing changes of a machine that is not listed.
    """
    t = time.time()
    where = [keys.machine(machine_id), keys.ALERTS, keys.MACHINES]
    args = [flag, int(on), f"{machine_id}:{flag}:{round(t * 1000)}"]
    args += [machine_id, f"{t:.3f}", reason]
    return bool(client.register_script(SHEBANG + _SCRIPT)(keys=where, args=args))
