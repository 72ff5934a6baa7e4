"""The file that maps topics to their content, and the errors in one."""

from pathlib import Path

import pytest

from vtox.pipeline.errors import MappingError
from vtox.pipeline.sending.mqtt.mapping import TopicRule, read_mapping


def rules(tmp_path: Path, text: str) -> list[TopicRule]:
    file = tmp_path / "mapping.toml"
    file.write_text(text)
    return read_mapping(file)


def test_a_topic_gives_the_filter_and_the_machine(tmp_path: Path) -> None:
    (rule,) = rules(
        tmp_path,
        '[[topics]]\ntopic = "plant/{hall}/{motor}/+"\nformat = "entry"\n'
        'machine_id = "{hall}-{motor}"',
    )
    assert rule.filters == ["plant/+/+/+"]
    levels = rule.levels("plant/north/7/window")
    assert levels is not None
    assert rule.machine(levels) == "north-7"
    assert rule.levels("plant/north/7") is None
    assert rule.levels("other/north/7/window") is None


def test_sparkplug_is_subscribed_to_by_group(tmp_path: Path) -> None:
    (rule,) = rules(tmp_path, '[[topics]]\ntopic = "Plant"\nformat = "sparkplug"')
    assert rule.filters == ["spBv1.0/Plant/+/+", "spBv1.0/Plant/+/+/+"]
    assert rule.channels["ia"] == "ia"


def test_one_scale_is_that_of_every_channel(tmp_path: Path) -> None:
    (rule,) = rules(
        tmp_path,
        '[[topics]]\ntopic = "m/{machine_id}"\nformat = "i2"\nchannels = ["ia", "ib"]\n'
        "scale = 0.001\nfs_hz = 1000",
    )
    assert rule.scale == {"ia": 0.001, "ib": 0.001}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[broker]\nurl = 1", ["[[topics]]", "broker"]),
        ("topics = 1", ["[[topics]]"]),
        ("x = [", ["TOML"]),
        ('[[topics]]\nformat = "entry"', ["topics 1", "topic"]),
        ('[[topics]]\ntopic = "a"\nformat = "csv"', ["format", "'csv'", "entry"]),
        ('[[topics]]\ntopic = "a"\nformat = "entry"\nqos = 1', ["qos", "unknown"]),
        ('[[topics]]\ntopic = "a/#"\nformat = "entry"', ["topic", "'a/#'"]),
        ('[[topics]]\ntopic = "{machine_id}"\nformat = "i2"', ["channels"]),
        ('[[topics]]\ntopic = "{machine_id}"\nformat = "i2"\nchannels = ["x"]', ["channels", "x"]),
        ('[[topics]]\ntopic = "a"\nformat = "i2"\nchannels = ["ia"]', ["machine_id", "none"]),
        (
            '[[topics]]\ntopic = "{machine_id}"\nformat = "i2"\nchannels = ["ia"]\nscale = "a"',
            ["scale", "'a'"],
        ),
        (
            '[[topics]]\ntopic = "{machine_id}"\nformat = "i2"\nchannels = ["ia"]\nfs_hz = "a"',
            ["fs_hz"],
        ),
        (
            '[[topics]]\ntopic = "g"\nformat = "sparkplug"\nscalars = { oil = ["P", "a b"] }',
            ["scalars", "oil_pressure"],
        ),
        (
            '[[topics]]\ntopic = "{machine_id}"\nformat = "entry"\nscalars = { a = ["P", "K"] }',
            ["scalars is of Sparkplug"],
        ),
        (
            '[[topics]]\ntopic = "g"\nformat = "sparkplug"\nnameplate = { poles = "P" }',
            ["nameplate.poles"],
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(MappingError) as raised:
        rules(tmp_path, text)
    assert all(w in str(raised.value) for w in ("mapping.toml", *words)), raised.value


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match=r"none\.toml"):
        read_mapping(tmp_path / "none.toml")
