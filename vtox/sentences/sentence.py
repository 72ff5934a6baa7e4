"""What a language says of one reason code."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentence:
    """The sentence of a code, and what a user does about it.

    `text` is a template of `str.format`: `{load_a:.1f}`. `{channels!w}` replaces identifiers by
    their words (`WORDS`); of several it makes a list. Sentences begin with a small letter and have
    no full stop, so that several can be joined.
    """

    text: str
    advice: str
