"""The result of one attempt to send a message."""

from dataclasses import dataclass

# The code of a message that a broker does not take, though it takes others.
MESSAGE_REFUSED = "mqtt_message_refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """`problem` is empty if the target has taken the message, else a code and its figure.

    `fresh`: the target was connected to for this message, and may have lost its kept messages.
    `of_message`: it refuses this message, and may take others. `final`: it never will.
    """

    problem: str = ""
    fresh: bool = False
    of_message: bool = False
    final: bool = False
    retry_after_s: float | None = None

    @property
    def is_delivered(self) -> bool:
        """Whether the target has taken the message."""
        return not self.problem
