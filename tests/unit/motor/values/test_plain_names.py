"""Names of machines: the error names the wrong part and its place."""

import pytest

from vtox.motor.values.plain_names import ALLOWED, name_error


@pytest.mark.parametrize("name", ["M", "0", "Plant-1:M.2_b", "x" * 64])
def test_nothing_is_wrong_with_a_plain_name(name: str) -> None:
    assert name_error(name) == ""


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("", "empty"),
        ("Motör", "character 4 is 'ö'"),
        ("M1\n", r"character 3 is '\n'"),
        ("a b c", "character 2 is ' '"),
        ("-M1", "it begins with '-'"),
        ("x" * 65, "it has 65 characters"),
    ],
)
def test_what_is_wrong_and_where_is_said_with_what_was_expected(name: str, wrong: str) -> None:
    assert name_error(name) == f"{wrong}, expected {ALLOWED}"
