"""Sentences of the reasons of `broken_bar`."""

from vtox.sentences.sentence import Sentence

# Where the sidebands are and how strong.
_LINES = (
    "sidebands {distance_hz:.2f} Hz from the supply line, {lower_sideband_dbc:.1f} dBc below and "
    "{upper_sideband_dbc:.1f} dBc above it"
)
_SLIP = "a slip of {slip:.2%} ({slip_source!w})"

SENTENCES: dict[str, Sentence] = {
    # Not searched, or not far enough.
    "supply_not_steady": Sentence(
        "the supply frequency moves by {range_hz:.2f} Hz within the record, at most {limit_hz:g} "
        "Hz allowed",
        "Measure at a steady supply frequency.",
    ),
    "slip_too_small": Sentence(
        f"{_SLIP} is too small: broken bars show only under load", "Measure at a higher load."
    ),
    "slip_possibly_too_small": Sentence(
        "the slip may be too small, {slip:.2%} or more ({slip_source!w}): broken bars show only "
        "under load",
        "Measure at a higher load, or send speed_rpm.",
    ),
    "record_too_short_for_slip": Sentence(
        f"record of {{duration_s:.3g}} s, at least {{needed_s:.0f}} s needed at {_SLIP}",
        "Send longer records without gaps, or measure at a higher load.",
    ),
    "record_too_short_for_least_slip": Sentence(
        "record of {duration_s:.3g} s, at least {needed_s:.0f} s needed at a slip that may be as "
        "low as {slip:.2%} ({slip_source!w})",
        "Send longer records without gaps, measure at a higher load, or send speed_rpm.",
    ),
    # Searched, undecided.
    "noise_hides_sidebands": Sentence(
        "noise hides sidebands below {detectable_dbc:.1f} dBc, those of a fault begin at "
        "{needed_dbc:.0f} dBc",
        "Measure at a higher load or on a steadier supply, or add voltages.",
    ),
    "sidebands_in_noise": Sentence(
        f"{_LINES}: in noise of {{floor_dbc:.0f}} dBc they may be those of a sound rotor cage or "
        "as strong as {upper_bound_dbc:.1f} dBc",
        "Measure at a higher load or on a steadier supply, or add voltages.",
    ),
    "sidebands_in_voltage": Sentence(
        f"{_LINES}, and lines in the voltage too: the supply or the drive modulates the motor",
        "Measure on another supply, or with the speed control switched off.",
    ),
    "sidebands_are_harmonics": Sentence(
        f"{_LINES}, and one of {{half_dbc:.1f}} dBc at half that distance, where a rotor cage "
        "makes none: the control of a drive or the load swings",
        "Measure with the speed control off, or at another speed.",
    ),
    "load_oscillation_or_broken_bars": Sentence(
        f"{_LINES}: load oscillation at {{distance_hz:.2f}} Hz or broken bars, as amplitude and "
        "phase move together as a load moves them",
        "Measure at another load or speed: sidebands of bars move with the slip; add voltages.",
    ),
    "load_multiple_or_broken_bars": Sentence(
        f"{_LINES}: the load moves so far that a multiple of its frequency may stand there, or "
        "broken bars",
        "Measure at a steadier load.",
    ),
    "line_does_not_follow_slip": Sentence(
        f"{_LINES}: they stay there while the slip moves from {{lowest_slip:.2%}} to "
        "{highest_slip:.2%}, or follow it by chance: load oscillation, supply or broken bars",
        "Measure while the load is steady, or moves more.",
    ),
    "supply_flicker_or_broken_bars": Sentence(
        f"{_LINES}: they move amplitude and phase as a supply that flickers does, and nothing "
        "excludes the supply",
        "Add voltages; where the slip is estimated send speed_rpm, or give rotor_bars on the "
        "nameplate.",
    ),
    "load_oscillation_hides_sidebands": Sentence(
        "load oscillation at {line_hz:.2f} Hz hides what a fault would show at {distance_hz:.2f} "
        "Hz, twice the slip frequency ({slip_source!w})",
        "Measure while the load is steady.",
    ),
    "line_at_another_slip": Sentence(
        "a line of {level_dbc:.1f} dBc {line_hz:.2f} Hz from the supply line that no load makes, "
        f"not at the {{distance_hz:.2f}} Hz of {_SLIP}: broken bars if the speed is wrong, or an "
        "interharmonic of the supply",
        "Check the speed that is sent; look for converters on the same supply.",
    ),
    "line_outside_estimated_slip": Sentence(
        "a line of {level_dbc:.1f} dBc {line_hz:.2f} Hz from the supply line, outside the "
        "{low_hz:.2f} to {high_hz:.2f} Hz estimated from the nameplate: load oscillation, or "
        "broken bars at another slip",
        "Send speed_rpm, or give rotor_bars on the nameplate.",
    ),
    # Normal.
    "no_sidebands": Sentence(
        "no sidebands at twice the slip frequency, those of {detectable_dbc:.0f} dBc would have "
        f"been found, at {_SLIP}",
        "",
    ),
    "sidebands_of_sound_rotor_cage": Sentence(
        f"{_LINES}: below {{limit_dbc:.0f}} dBc, as of a sound rotor cage", ""
    ),
    "load_oscillation": Sentence(
        "a line {line_hz:.2f} Hz from the supply line, not at the {distance_hz:.2f} Hz of twice "
        "the slip frequency ({slip_source!w}): the load oscillates",
        "",
    ),
    "sidebands_as_baseline": Sentence(
        f"{_LINES}: not risen above the {{baseline_dbc:.1f}} dBc of the baseline", ""
    ),
    # Found.
    "rotor_asymmetry": Sentence(
        f"rotor asymmetry: {_LINES}, at {_SLIP}",
        "Watch whether the level rises; at a fault inspect bars and end rings of the rotor.",
    ),
    "rotor_asymmetry_as_baseline": Sentence(
        f"rotor asymmetry: {_LINES}, not risen above the {{baseline_dbc:.1f}} dBc of the baseline",
        "Inspect bars and end rings of the rotor: they were no better when the baseline was "
        "learnt.",
    ),
    # Doubts.
    "level_in_noise": Sentence(
        "the level is uncertain by {deviation_db:.1f} dB in the noise",
        "Measure at a higher load or on a steadier supply, or add voltages.",
    ),
    "slip_not_measured": Sentence(
        "the slip is estimated from the nameplate, so that twice the slip frequency is not known",
        "Send speed_rpm, or give rotor_bars on the nameplate.",
    ),
    "flicker_not_excluded": Sentence(
        "a supply that flickers at this frequency is not excluded, so that an alert takes eight "
        "times as many records",
        "Add voltages.",
    ),
    # In a start.
    "rotor_asymmetry_in_start": Sentence(
        "the lower sideband sweeps from the supply frequency to 0 while the motor starts, "
        "{level_db:.1f} dB from the supply line: the bars of the rotor cage differ by "
        "{least_share:.1%} or more",
        "Inspect bars and end rings of the rotor; diagnose a record of the steady state under "
        "load.",
    ),
    "start_sideband_weak": Sentence(
        "a lower sideband sweeps while the motor starts, at {level_db:.1f} dB: below "
        "{limit_db:.0f} dB a sound rotor cage is not excluded",
        "Diagnose a record of the steady state under load; compare the level with that of other"
        " starts.",
    ),
    "start_sideband_not_found": Sentence(
        "no lower sideband sweeps while the motor starts; a start alone excludes no broken bar",
        "Diagnose a record of the steady state under load.",
    ),
    "start_sideband_needs_three_currents": Sentence(
        "the lower sideband of a start is searched in three currents",
        "Send ia, ib and ic.",
    ),
    "start_sideband_needs_grid": Sentence(
        "the lower sideband of a start is searched at a constant supply frequency only",
        "Diagnose a record of the steady state under load.",
    ),
    "start_too_short_for_sideband": Sentence(
        "{duration_s:.2g} s of the start are left for the lower sideband, at least {needed_s:g}"
        " s needed",
        "Diagnose a record of the steady state under load.",
    ),
}
