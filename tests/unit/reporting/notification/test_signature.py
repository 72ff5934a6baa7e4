"""Signatures of Standard Webhooks: the specification's form, and its limits of a secret."""

import base64

import pytest

from vtox.reporting.notification.signature import headers, signature, signing_key

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_signature_is_that_of_the_reference_libraries() -> None:
    # The vector of the reference libraries' own tests (standard-webhooks, `test_sign_function`).
    given = signature(
        [signing_key(SECRET)], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert given == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_old_and_new_secret_sign_side_by_side() -> None:
    keys = [b"a" * 24, b"b" * 24]
    both = headers(keys, "m", 1, b"{}")["webhook-signature"].split()
    assert both == [signature([k], "m", 1, b"{}") for k in keys]


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        SECRET.removeprefix("whsec_"),
        "whsec_" + base64.b64encode(b"x" * 23).decode(),
        "whsec_" + base64.b64encode(b"x" * 65).decode(),
        "whsec_!!!!",
    ],
)
def test_a_secret_of_another_form_is_refused_and_not_repeated(secret: str) -> None:
    with pytest.raises(ValueError, match="openssl rand") as refused:
        signing_key(secret)
    body = secret.removeprefix("whsec_")
    assert not body or body not in str(refused.value)
