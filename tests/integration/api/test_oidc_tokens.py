"""Answers of a provider are checked by the rules of OpenID Connect: each rule, by a bad answer."""

import asyncio
import time
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from api.state.errors import SignInRefused
from api.state.provider import Provider
from api.state.sign_in_attempt import SignIn
from tests.oidc import CLIENT, Scripted
from tests.oidc import scripted as scripted
from vtox.pipeline.configuration.tables import Oidc
from vtox.pipeline.store.system.sessions import Person

BACK = "https://vtox.example/sign-in/callback"


@pytest.fixture
def provider(scripted: Scripted) -> Provider:
    settings = Oidc(issuer=scripted.issuer, client_id=CLIENT, client_secret=SecretStr("a b"))
    return Provider(settings)


def signed_in(scripted: Scripted, provider: Provider) -> Person:
    attempt = SignIn.begin("/", time.time())
    scripted.claims.setdefault("nonce", attempt.nonce)
    return asyncio.run(provider.person(attempt, "code", BACK))


def test_a_person_is_who_the_token_says(scripted: Scripted, provider: Provider) -> None:
    scripted.claims |= {"preferred_username": "ada"}
    found = signed_in(scripted, provider)
    assert (found.name, found.login, found.subject) == ("Ada Byron", "ada", "7")
    assert (found.scope, found.issuer) == ("operate", scripted.issuer)


BAD: dict[str, dict[str, Any]] = {
    "for another client": {"aud": "other"},
    "for several, authorized by another": {"aud": [CLIENT, "other"], "azp": "other"},
    "of another issuer": {"iss": "https://elsewhere.example"},
    "of another sign-in": {"nonce": "other"},
    "without a nonce": {"nonce": None},
    "two minutes over": {"exp": time.time() - 120},
    "of a time to come": {"iat": time.time() + 1000},
    "of nobody": {"sub": None},
    "without an end": {"exp": None},
}


@pytest.mark.parametrize("bad", BAD)
def test_a_token_is_refused(scripted: Scripted, provider: Provider, bad: str) -> None:
    scripted.claims |= BAD[bad]
    with pytest.raises(SignInRefused) as refused:
        signed_in(scripted, provider)
    assert refused.value.code == "not_trusted"


@pytest.mark.parametrize("aside_s", [-40, 40])
def test_clocks_may_differ_by_less_than_a_minute(
    scripted: Scripted, provider: Provider, aside_s: int
) -> None:
    now = time.time() + aside_s
    scripted.claims |= {"iat": now, "exp": now + 1}
    assert signed_in(scripted, provider).scope == "operate"


def forgeries(said: Scripted) -> dict[str, Callable[[dict[str, Any]], str]]:
    other, named = ec.generate_private_key(ec.SECP256R1()), {"kid": said.kid}
    public = str(said.public()).encode()
    return {
        "unsigned": lambda claims: jwt.encode(claims, "", "none", named),
        "by another key": lambda claims: jwt.encode(claims, other, "ES256", named),
        "by the public key as a secret": lambda claims: jwt.encode(claims, public, "HS256", named),
        "by a key it does not have": lambda c: jwt.encode(c, other, "ES256", {"kid": "second"}),
        "no token": lambda _: "x.y",
    }


FORGERIES = (
    "unsigned",
    "by another key",
    "by the public key as a secret",
    "by a key it does not have",
    "no token",
)


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_forgery_is_refused(scripted: Scripted, provider: Provider, kind: str) -> None:
    scripted.sign = forgeries(scripted)[kind]
    with pytest.raises(SignInRefused) as refused:
        signed_in(scripted, provider)
    assert refused.value.code == "not_trusted"


def test_a_provider_changes_its_key_between_two_people(
    scripted: Scripted, provider: Provider
) -> None:
    signed_in(scripted, provider)
    scripted.key, scripted.kid = ec.generate_private_key(ec.SECP256R1()), "second"
    del scripted.claims["nonce"]
    assert signed_in(scripted, provider).name == "Ada Byron"


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/jwks"])
def test_a_provider_in_trouble_is_away(scripted: Scripted, provider: Provider, path: str) -> None:
    scripted.status[path] = 503
    with pytest.raises(SignInRefused) as refused:
        signed_in(scripted, provider)
    assert refused.value.code == "provider_away"
    assert (path in str(refused.value), "503" in str(refused.value)) == (True, True)
    scripted.status.clear()
    del scripted.claims["nonce"]
    assert signed_in(scripted, provider).name == "Ada Byron", "it is asked again"


@pytest.mark.parametrize(
    "metadata", [{"issuer": "https://elsewhere.example"}, {"token_endpoint": "http://10.0.0.1/t"}]
)
def test_a_provider_of_another_name_or_without_https_is_refused(
    scripted: Scripted, provider: Provider, metadata: dict[str, str]
) -> None:
    scripted.metadata = metadata
    with pytest.raises(SignInRefused) as refused:
        asyncio.run(provider.sign_in_url(SignIn.begin("/", time.time()), BACK))
    assert refused.value.code == "not_trusted"


def test_the_code_is_bound_to_the_browser(scripted: Scripted, provider: Provider) -> None:
    attempt = SignIn.begin("/", time.time())
    scripted.metadata = {"scopes_supported": ["openid", "groups"]}
    scripted.claims["nonce"] = attempt.nonce
    query = parse_qs(urlsplit(asyncio.run(provider.sign_in_url(attempt, BACK))).query)
    asyncio.run(provider.person(attempt, "code", BACK))
    digest = sha256(scripted.form["code_verifier"].encode()).digest()
    assert b64encode(digest, b"-_").rstrip(b"=").decode() == query["code_challenge"][0]
    assert query["code_challenge_method"] == ["S256"]
    assert (query["state"], query["nonce"]) == ([attempt.state], [attempt.nonce])
    assert query["scope"] == ["openid profile groups"]
    assert scripted.form["redirect_uri"] == query["redirect_uri"][0] == BACK


def test_the_secret_goes_where_the_provider_takes_it(
    scripted: Scripted, provider: Provider
) -> None:
    signed_in(scripted, provider)
    assert scripted.authorization == f"Basic {b64encode(b'vtox:a+b').decode()}"
    assert "client_secret" not in scripted.form
    scripted.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    del scripted.claims["nonce"]
    settings = Oidc(issuer=scripted.issuer, client_id=CLIENT, client_secret=SecretStr("a b"))
    signed_in(scripted, Provider(settings))
    assert (scripted.authorization, scripted.form["client_secret"]) == ("", "a b")


CLAIMS: list[tuple[str, Any, str]] = [
    ("groups", "staff vtox-viewer", "read"),
    ("groups", ["/vtox-engineer", "vtox-viewer"], "engineer"),
    ("realm_access.roles", {"realm_access": {"roles": ["vtox-admin"]}}, "admin"),
    ("https://x.y/roles", {"https://x.y/roles": ["vtox-operator"]}, "operate"),
    ("groups", ["/other/vtox-admin"], "no_role"),
    ("groups", [], "no_role"),
    ("groups", 7, "no_role"),
]


def role_or_refusal(scripted: Scripted, provider: Provider) -> str:
    try:
        return signed_in(scripted, provider).scope
    except SignInRefused as refused:
        return refused.code


@pytest.mark.parametrize(("claim", "said", "expected"), CLAIMS)
def test_the_role_is_that_of_the_claim(
    scripted: Scripted, claim: str, said: Any, expected: str
) -> None:
    scripted.claims = said if isinstance(said, dict) else {"groups": said}
    opened = Provider(Oidc(issuer=scripted.issuer, client_id=CLIENT, claim=claim))
    assert role_or_refusal(scripted, opened) == expected


@pytest.mark.parametrize(
    ("sub", "expected"), [("7", "engineer"), ("8", "not_trusted"), (None, "not_trusted")]
)
def test_groups_may_stand_where_they_are_asked_for(
    scripted: Scripted, provider: Provider, sub: str | None, expected: str
) -> None:
    scripted.claims["groups"] = None
    scripted.userinfo = {"sub": sub, "groups": ["vtox-engineer"], "iss": "x"}
    assert role_or_refusal(scripted, provider) == expected


HALF = "\ud800"


@pytest.mark.parametrize(
    "claims",
    [
        *({"sub": HALF}, {"name": HALF}, {"preferred_username": HALF}, {"nonce": HALF}),
        {"groups": [HALF, "vtox-viewer"]},
    ],
)
def test_half_a_surrogate_is_no_name(
    scripted: Scripted, provider: Provider, claims: dict[str, Any]
) -> None:
    scripted.claims |= claims
    assert role_or_refusal(scripted, provider) == "not_trusted"


ODD: dict[str, dict[str, Any]] = {
    "half a surrogate": {"scopes_supported": [HALF]},
    "a megabyte": {"x": "x" * 1_000_000},
}


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_answer_is_refused(scripted: Scripted, provider: Provider, kind: str) -> None:
    scripted.metadata = ODD[kind]
    assert role_or_refusal(scripted, provider) == "not_trusted"


@pytest.mark.parametrize("keys", [[7], "x", [{"kty": "EC"}], None])
def test_keys_that_are_none_are_refused(
    scripted: Scripted, provider: Provider, monkeypatch: pytest.MonkeyPatch, keys: Any
) -> None:
    answer = scripted.answer
    monkeypatch.setattr(
        scripted, "answer", lambda path: {"keys": keys} if path == "/jwks" else answer(path)
    )
    assert role_or_refusal(scripted, provider) == "not_trusted"


def test_a_provider_that_trickles_is_away(
    scripted: Scripted, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.state.provider.DEADLINE_S", 0.3)
    scripted.pause_s = 0.05  # some 300 bytes: 15 s
    began = time.monotonic()
    assert role_or_refusal(scripted, provider) == "provider_away"
    assert time.monotonic() - began < 3
    scripted.pause_s = 0.0
