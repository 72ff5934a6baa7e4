"""Names of baseline features that more than one diagnoser reads."""

# Supply frequency at which a baseline was learnt, Hz.
SUPPLY_FEATURE = "eccentricity.supply_hz"
