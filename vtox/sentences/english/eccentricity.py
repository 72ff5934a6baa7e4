"""Sentences of the reasons of `eccentricity`."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {
    "two_pole_lines_merge": Sentence(
        "two poles: at a slip of {slip:.2%} the sidebands at the speed of rotation merge with 0 Hz "
        "and twice the supply frequency, a record of {needed_s:.0f} s would separate them",
        "Send longer records without gaps, or measure at a higher load.",
    ),
    "baseline_too_scattered": Sentence(
        "the baseline is too small or too scattered: {records} records at this load leave "
        "{open_db:.0f} dB open, at most {limit_db:g} dB allowed",
        "Learn from more records at that load, and while it is steady.",
    ),
    "rotation_sidebands_in_voltage": Sentence(
        "the line {rotation_hz:.2f} Hz from the supply rose by {change_db:z.1f} dB, but the "
        "voltage carries it too: an interharmonic of the supply",
        "Find what on this supply makes the line; it stays where it is when the load moves.",
    ),
    "line_beside_rotation_sidebands": Sentence(
        "a stronger line {line_hz:.2f} Hz from the supply covers what stands at the speed of "
        "rotation, {rotation_hz:.2f} Hz: an interharmonic, a load, or a speed slightly wrong",
        "Check the speed that is sent; send longer records, or add voltages.",
    ),
    "rotation_sidebands_in_noise": Sentence(
        "noise of {floor_dbc:.0f} dBc hides the level to be compared, {baseline_dbc:.0f} dBc in "
        "the baseline",
        "Measure on a supply with less noise and fewer interharmonics.",
    ),
    "rotation_sidebands_steady": Sentence(
        "modulation at the speed of rotation {change_db:+z.1f} dB from the baseline at this load",
        "",
    ),
    "rotation_sidebands_risen": Sentence(
        "modulation at the speed of rotation {change_db:+z.1f} dB from the baseline at this load "
        "({level_dbc:.1f} dBc {rotation_hz:.2f} Hz from the supply line): eccentricity, unbalance, "
        "misalignment or a load that oscillates once a turn",
        "Check balance, alignment and load first; then measure the air gap.",
    ),
}
