"""Sentences of whether an alarm grows, and of how soon to act."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {
    "growth_rising": Sentence(
        "{quantity!w} rises: {then_db:.1f} {unit!w} when raised, {now_db:.1f} now, "
        "{slope_db:+.2f} dB a day ({low_db:+.2f} to {high_db:+.2f})",
        "",
    ),
    "growth_falling": Sentence(
        "{quantity!w} falls: {then_db:.1f} {unit!w} when raised, {now_db:.1f} now, "
        "{slope_db:+.2f} dB a day ({low_db:+.2f} to {high_db:+.2f})",
        "",
    ),
    "growth_unchanged": Sentence(
        "{quantity!w} is unchanged: {then_db:.1f} {unit!w} when raised, {now_db:.1f} "
        "now; its slope of {slope_db:+.2f} dB a day ({low_db:+.2f} to {high_db:+.2f}) "
        "may be zero",
        "",
    ),
    "growth_unknown": Sentence(
        "whether it grows is not known: the history has {levels} levels over {span_h:.1f} h",
        "",
    ),
    "act_within_days": Sentence(
        "act within days",
        "Inspect within days, and stop the machine where a failure would be dangerous: "
        "the level grows, or this fault leaves no time.",
    ),
    "act_within_weeks": Sentence(
        "act within weeks",
        "Plan an inspection within weeks, and look at the trend every few days.",
    ),
    "act_at_next_stop": Sentence(
        "act at the next stop",
        "Inspect at the next planned stop: nothing shows that it grows.",
    ),
}
