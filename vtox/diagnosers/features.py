"""Names of the features that a baseline stores and more than one module reads."""

SUPPLY = "eccentricity.supply_hz"
CAPACITANCE = "insulation.capacitance_f"
PHASE_CONDUCTANCE = "insulation.unequal_s"
PHASE_CAPACITANCE = "insulation.unequal_f"
