"""Operation outside the profile of a machine: what it usually does, and five conditions. Pure."""
