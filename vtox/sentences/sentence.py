"""What a language says of one reason code, and of all."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Sentence:
    """The sentence of a code, and what a user does about it.

    `text` is a template of `str.format`: `{load_a:.1f}`. `{channels!w}` replaces identifiers by
    their words (`WORDS`); of several it makes a list. Sentences begin with a small letter and have
    no full stop, so that several can be joined.
    """

    text: str
    advice: str


# What has a name that people use: a fault (also a flag, or a condition of the system), the state of
# one, what became of an alarm.
Kind = Literal["fault", "state", "outcome"]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All sentences of a language by table and code, its words for identifiers, what joins them.

    `names` has kind -> identifier -> name, in small letters where the language has them.
    """

    tables: Mapping[str, Mapping[str, Sentence]]
    names: Mapping[Kind, Mapping[str, str]]
    words: Mapping[str, str]
    between_words: str
    between_sentences: str
    sentences: dict[str, Sentence] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for table in self.tables.values():
            self.sentences.update(table)
