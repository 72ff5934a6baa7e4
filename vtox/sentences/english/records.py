"""Sentences of why a record ended before it had the length that its fault family needs."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {
    "no_window_yet": Sentence(
        "no window has arrived yet", "Send windows, or retire the machine if there are none."
    ),
    "no_diagnosis_yet": Sentence(
        "no record has been diagnosed yet",
        "Send windows without gaps, as long together as the fault needs.",
    ),
    "ended_by_missing_window": Sentence(
        "record ended early: window {seq} is missing",
        "Find out where windows get lost between sensor and stream, and send every seq once.",
    ),
    "ended_by_gap": Sentence(
        "record ended early: {gap_s:.2f} s between the end of a window and the start of the next",
        "Send windows without gaps: t0 of each is the end of the last one.",
    ),
    "ended_by_late_window": Sentence(
        "record ended early: its window arrived after later ones",
        "Send windows in the order of seq, or raise VTOX_REORDER_WINDOWS.",
    ),
    "ended_by_restart": Sentence(
        "record ended early: the sender restarted",
        "Nothing after a restart; a sender that restarts often must count seq on.",
    ),
    "ended_by_rebuild": Sentence(
        "record ended early: window {seq} follows windows of a record that was made before the "
        "bridge restarted",
        "Nothing: the windows before are diagnosed in the other record.",
    ),
    "ended_by_silence": Sentence(
        "record ended early: no further window arrived",
        "Nothing when the machine was switched off; else check the sender and its network.",
    ),
    "ended_by_rate_change": Sentence(
        "record ended early: the sampling rate changed from {before_hz:g} to {after_hz:g} Hz",
        "Sample at one rate, or send what has another rate as a machine of its own.",
    ),
    "ended_by_channel_change": Sentence(
        "record ended early: the channels changed",
        "Send the same channels in every window of a run.",
    ),
    # A record that an older version dispatched: it kept a sentence instead of a code.
    "ended_early": Sentence(
        "record ended early: {why}",
        "Send windows without gaps, and in the order of seq.",
    ),
    "ended_by_memory_limit": Sentence(
        "record ended early: open records took more memory than they may",
        "Give the server more memory, or send fewer machines or lower sampling rates.",
    ),
}
