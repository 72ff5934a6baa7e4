"""Many hosts, simulated: what a layout does while hosts fail, from measured costs and delays."""
