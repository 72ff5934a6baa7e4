-- Number a change of a machine. KEYS fleet fleet_changes   ARGV machine
note_change(KEYS[1], KEYS[2], ARGV[1])
