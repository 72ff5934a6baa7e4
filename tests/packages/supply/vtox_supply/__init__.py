"""Whether the supply frequency is that of the nameplate: a fault of a package, and a format."""
