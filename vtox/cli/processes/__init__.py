"""The commands that run processes: `up` all of them, the others one each."""
