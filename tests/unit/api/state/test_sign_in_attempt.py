"""The cookie of a way to an OIDC provider: signed, over after ten minutes, of one state."""

import pytest

from api.state.errors import SignInRefused
from api.state.sign_in_attempt import LIFETIME_S, SignIn

SECRET, NOW_S = b"s" * 32, 1764000000.5


def refused(text: str, state: str, now_s: float = NOW_S) -> bool:
    with pytest.raises(SignInRefused) as found:
        SignIn.from_cookie(text, state, SECRET, now_s)
    return found.value.code == "not_begun"


def test_a_cookie_is_of_one_way() -> None:
    attempt = SignIn.begin("/machines/V7?lang=zh&x=.%2E;", NOW_S)
    assert SignIn.from_cookie(attempt.cookie(SECRET), attempt.state, SECRET, NOW_S) == attempt
    assert refused(attempt.cookie(SECRET), "other")
    assert refused(attempt.cookie(SECRET), "\ud800")


def test_a_cookie_that_the_caller_makes_up_is_refused() -> None:
    attempt = SignIn.begin("/", NOW_S)
    own = attempt.cookie(b"own secret")
    later = attempt._replace(end_s=attempt.end_s + 1).cookie(SECRET).rpartition(".")[0]
    signature = attempt.cookie(SECRET).rpartition(".")[2]
    for text in (own, own.rpartition(".")[0], f"{later}.{signature}", "", "...", "x.\u00e4"):
        assert refused(text, attempt.state)
    assert refused("s.n.v.%2F", "s")


def test_a_cookie_ends_after_ten_minutes() -> None:
    attempt = SignIn.begin("/", NOW_S)
    text = attempt.cookie(SECRET)
    assert SignIn.from_cookie(text, attempt.state, SECRET, NOW_S + LIFETIME_S - 1) == attempt
    assert refused(text, attempt.state, NOW_S + LIFETIME_S + 1)
