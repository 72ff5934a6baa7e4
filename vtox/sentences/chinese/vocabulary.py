"""The Chinese sentences together."""

from vtox.sentences.chinese import (
    alerts,
    audit,
    baseline,
    bearing,
    broken_bar,
    checks,
    commissioning,
    eccentricity,
    general,
    growth,
    insulation,
    names,
    operation,
    records,
    slip,
    system,
    turn_short,
)
from vtox.sentences.sentence import Vocabulary

VOCABULARY = Vocabulary(
    tables={
        "general": general.SENTENCES,
        "turn_short": turn_short.SENTENCES,
        "insulation": insulation.SENTENCES,
        "bearing": bearing.SENTENCES,
        "eccentricity": eccentricity.SENTENCES,
        "broken_bar": broken_bar.SENTENCES,
        "slip": slip.SENTENCES,
        "operation": operation.SENTENCES,
        "records": records.SENTENCES,
        "alerts": alerts.SENTENCES,
        "growth": growth.SENTENCES,
        "audit": audit.SENTENCES,
        "system": system.SENTENCES,
        "checks": checks.SENTENCES,
        "baseline": baseline.SENTENCES,
        "commissioning": commissioning.SENTENCES,
    },
    names={"fault": names.FAULTS, "state": names.STATES, "outcome": names.OUTCOMES},
    words=general.WORDS,
    between_words="、",
    between_sentences="；",
)
