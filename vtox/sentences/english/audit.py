"""Sentences of what somebody did: the entries of the audit."""

from vtox.sentences.sentence import Sentence

SENTENCES: dict[str, Sentence] = {
    "nameplate_changed": Sentence("nameplate: {changes!w}", ""),
    "machine_deleted": Sentence("machine retired, with baseline and history", ""),
    "baseline_given": Sentence("baseline set, of {records} records", ""),
    "baseline_deleted": Sentence("baseline deleted", ""),
    "sensitivity_changed": Sentence("sensitivity: {changes!w}", ""),
    "channel_map_changed": Sentence("channel map: {changes!w}", ""),
    "taken_out_of_service": Sentence("taken out of service: {text}", ""),
    "returned_to_service": Sentence("returned to service {text}", ""),
    "dead_letter_replayed": Sentence("dead letter {letter} sent again", ""),
    "key_created": Sentence("made API key {key} for {name}, with {scopes!w}", ""),
    "key_revoked": Sentence("revoked API key {key} of {name}", ""),
    "settings_changed": Sentence("settings: {changes!w}", ""),
    "state_restored": Sentence("restored from the backup of {made}", ""),
    "signed_in": Sentence("signed in on the page", ""),
    "signed_out": Sentence("signed out on the page", ""),
    "wrong_keys": Sentence(
        "wrong API keys so far in this hour: {attempts}",
        "Look at the address: a program with a key that has expired or was revoked needs a new "
        "one (`vtox keys list`); whoever guesses keys is to be kept out by the firewall.",
    ),
    "wrong_keys_elsewhere": Sentence(
        "wrong API keys so far in this hour from further addresses: {attempts}",
        "Let only those networks reach the service that need it.",
    ),
}
