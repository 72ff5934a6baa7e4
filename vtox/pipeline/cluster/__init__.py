"""The processes of VTOX: started in order, watched, restarted and stopped."""
