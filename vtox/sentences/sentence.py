"""What a language says of one reason code, and of all."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sentence:
    """The sentence of a code, and what a user does about it.

    `text` is a template of `str.format`: `{load_a:.1f}`. `{channels!w}` replaces identifiers by
    their words (`WORDS`); of several it makes a list. Sentences begin with a small letter and have
    no full stop, so that several can be joined.
    """

    text: str
    advice: str


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All sentences of a language by table and code, its words for identifiers, what joins them."""

    tables: Mapping[str, Mapping[str, Sentence]]
    words: Mapping[str, str]
    between_words: str
    between_sentences: str
    sentences: dict[str, Sentence] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for table in self.tables.values():
            self.sentences.update(table)
