"""The file of rules: each mistake is named with its place, and no secret is repeated."""

from pathlib import Path
from typing import Any

import pytest

from tests.paths import ROOT
from vtox.pipeline.errors import RulesError
from vtox.reporting.notification.rules import read_rules
from vtox.reporting.notification.target_secrets import signing_keys, target_url

GOOD = """
page = "https://vtox.example"
zone = "Europe/Berlin"

[targets.cmms]
kind = "webhook"
url = "https://cmms.example/hooks/vtox"
secret_env = "CMMS_SECRET"

[targets.night-shift]
kind = "apprise"
url_file = "/etc/vtox/night"
language = "zh"

[[rules]]
name = "faults at once"
targets = ["cmms"]
levels = ["fault"]
assets = ["Crushing/Line 2"]

[[rules]]
targets = ["night-shift"]
faults = ["bearing", "workers:*"]
quiet = { from = "22:00", to = "06:00", days = ["mon", "tue"] }
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "notify.toml"


def test_a_file_is_read(file: Path) -> None:
    file.write_text(GOOD)
    rules = read_rules(file)
    assert list(rules.targets) == ["cmms", "night-shift"]
    assert rules.zone_of(rules.rules[1]).key == "Europe/Berlin"


MISTAKES = [
    ('kind = "webhook"', 'kind = "hook"', "targets.cmms.kind"),
    ("secret_env", "secret", "targets.cmms.secret: is not known here"),
    ('secret_env = "CMMS_SECRET"', "", "expected one of secret_env and secret_file"),
    ('secret_env = "CMMS_SECRET"', 'secret_env = "whsec_abc="', "not the secret itself"),
    ('url = "https://cmms.example/hooks/vtox"', "", "expected one of url, url_env and url_file"),
    ("https://cmms.example/hooks", "http://cmms.example/hooks", "expected https://"),
    ("https://cmms.example/hooks", "https://u:p@cmms.example", "does not belong there"),
    ("https://cmms.example/hooks/vtox", "https://", "expected https://host/path"),
    ("https://cmms.example/hooks/vtox", "ftp://cmms.example", "expected https://host/path"),
    ("https://cmms.example/hooks/vtox", "https://cmms.example:x/", "expected https://host/path"),
    ('url_file = "/etc/vtox/night"', 'url = "slack://a/b/c"', "is a secret"),
    ('zone = "Europe/Berlin"', 'zone = "Berlin"', "is no time zone"),
    ('zone = "Europe/Berlin"', 'zone = "../etc/passwd"', "is no time zone"),
    ('"22:00"', '"25:00"', "rules.1.quiet.from: '25:00': expected a time of day"),
    ('to = "06:00"', 'to = "22:00"', "are the same"),
    ('"mon"', '"monday"', "rules.1.quiet.days"),
    ('["cmms"]', '["cmss"]', "'cmss' is none of cmms, night-shift"),
    ('["bearing"', '["bearings"', "'bearings': expected one of"),
    ('["fault"]', '["faults"]', "rules.0.levels"),
    ("levels", "level", "rules.0.level: is not known here"),
    ("[targets.cmms]", '[targets."c.m"]', "expected 1 to 32 of letters"),
    ("[targets.cmms]", "[targets.cmms", "is no TOML"),
    ('name = "faults at once"', "digest = 7", "rules.0.digest: 7: expected a time of day"),
]


@pytest.mark.parametrize(("old", "new", "said"), MISTAKES)
def test_a_mistake_is_named_with_its_place(file: Path, old: str, new: str, said: str) -> None:
    assert old in GOOD
    file.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(RulesError) as refused:
        read_rules(file)
    assert said in str(refused.value)
    assert str(file) in str(refused.value)


def test_all_mistakes_are_named_at_once(file: Path) -> None:
    file.write_text(GOOD.replace('"22:00"', "1").replace("levels", "level"))
    with pytest.raises(RulesError) as refused:
        read_rules(file)
    assert len(str(refused.value).splitlines()) == 2


def test_a_file_that_is_not_there_is_said(file: Path) -> None:
    with pytest.raises(RulesError, match="cannot be read"):
        read_rules(file)


def test_secrets_come_from_the_environment_or_a_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = file.parent / "url"
    secret.write_text(" json://chat.example/abc \n")
    file.write_text(GOOD.replace("/etc/vtox/night", str(secret)))
    rules = read_rules(file)
    hook, chat = rules.targets.values()
    assert target_url("night-shift", chat) == "json://chat.example/abc"
    with pytest.raises(RulesError, match="has no CMMS_SECRET"):
        signing_keys("cmms", hook)
    bad: Any = "whsec_c2hvcnQ="
    monkeypatch.setenv("CMMS_SECRET", bad)
    with pytest.raises(RulesError) as refused:
        signing_keys("cmms", hook)
    assert "c2hvcnQ" not in str(refused.value)
    monkeypatch.setenv("CMMS_SECRET", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    assert len(signing_keys("cmms", hook)[0]) == 24
    secret.unlink()
    with pytest.raises(RulesError, match="cannot be read"):
        target_url("night-shift", chat)


def test_the_example_of_the_documents_is_one(file: Path) -> None:
    text = (ROOT / "docs/howto/notify.md").read_text()
    file.write_text(text.split("```toml\n")[1].split("```")[0])
    assert list(read_rules(file).targets) == ["cmms", "night_shift"]


def test_files_lie_beside_the_rules_wherever_the_notifier_runs(file: Path) -> None:
    named = GOOD.replace("/etc/vtox/night", "night").replace(
        'secret_env = "CMMS_SECRET"', 'secret_file = ["new", "/etc/vtox/old"]'
    )
    file.write_text(named)
    hook, chat = read_rules(file).targets.values()
    assert chat.url_file == file.parent / "night"
    assert hook.secret_file == (file.parent / "new", Path("/etc/vtox/old"))
