"""The OIDC provider at which people sign in: authorization code with PKCE, ID token checked.

https://openid.net/specs/openid-connect-core-1_0.html, sections 3.1 and 5.3, and RFC 7636. Nothing
of a browser on its way is kept here (`sign_in_attempt`). The keys of the provider are read with
each sign-in, so that it may change them.
"""

import hmac
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx2
import jwt

from api.schemas.common import NAME_MAX
from api.state.people import ROLES, scopes_of
from api.state.sign_in_attempt import SignIn
from vtox.configuration.tables import Oidc, is_safe_address
from vtox.errors import SignInRefused
from vtox.store.system.sessions import Person

# Of one request to the provider; signing in takes three.
TIMEOUT_S = 5.0
# While a provider hangs, its people must not hold all threads that serve requests.
AT_ONCE = 4
DISCOVERY_KEPT_S = 300.0
CLOCKS_DIFFER_S = 60.0
# By key pairs alone: with a shared secret who can check a token can make one.
ALGORITHMS = tuple(f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512))
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Provider:
    """Safe between the threads that serve requests."""

    def __init__(self, settings: Oidc) -> None:
        self._settings = settings
        self._places = BoundedSemaphore(AT_ONCE)
        self._found: dict[str, Any] = {}
        self._found_t = -DISCOVERY_KEPT_S
        trust = ssl.create_default_context()
        self._http = httpx2.Client(verify=trust, timeout=TIMEOUT_S, follow_redirects=False)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def sign_in_url(self, attempt: SignIn, redirect_uri: str) -> str:
        """Return where the browser goes to sign in.

        Raises `SignInRefused`: the provider does not answer.
        """
        with self._asking():
            found = self._discovery()
        # Some have the groups only on request.
        more = {self._settings.claim} & set(found.get("scopes_supported") or ())
        query = {
            "response_type": "code",
            "client_id": self._settings.client_id,
            "redirect_uri": redirect_uri,
            "scope": " ".join(["openid", "profile", *more]),
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
        }
        return _with_query(found["authorization_endpoint"], query)

    def sign_out_url(self, back: str) -> str:
        """Return where a person signs out of the provider; empty where it has no such page."""
        try:
            with self._asking():
                endpoint = self._discovery().get("end_session_endpoint")
        except SignInRefused:
            return ""
        if not (isinstance(endpoint, str) and is_safe_address(endpoint)):
            return ""
        query = {"client_id": self._settings.client_id, "post_logout_redirect_uri": back}
        return _with_query(endpoint, query)

    def person(self, attempt: SignIn, code: str, redirect_uri: str) -> Person:
        """Return who has signed in, for the code that the browser brought back.

        Raises `SignInRefused`: the provider does not answer, its answer is not to be trusted, or
        the person has no role.
        """
        with self._asking():
            found = self._discovery()
            tokens = self._tokens(found, attempt, code, redirect_uri)
            claims = self._checked(found, tokens, attempt.nonce)
            if _claim(claims, self._settings.claim) is None:
                claims = claims | self._more_claims(found, tokens, claims)
        return self._person(claims)

    def _person(self, claims: dict[str, Any]) -> Person:
        login = str(claims.get("preferred_username") or claims.get("email") or claims["sub"])
        name = "".join(c for c in str(claims.get("name") or login) if c.isprintable()).strip()
        named = _claim(claims, self._settings.claim)
        groups = named if isinstance(named, list) else str(named or "").split()
        scopes = scopes_of(str(g) for g in groups)
        if not scopes:
            raise SignInRefused(
                "no_role",
                f"{login} is in none of {', '.join(ROLES)}: {self._settings.claim} is {named!r}",
                person=name or login,
                roles=", ".join(ROLES),
                claim=self._settings.claim,
            )
        return Person(
            issuer=self._settings.issuer,
            subject=str(claims["sub"]),
            login=login[:NAME_MAX],
            name=(name or login)[:NAME_MAX],
            scope=scopes[0],
        )

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Ask the provider; say by one error that it does not answer."""
        if not self._places.acquire(timeout=TIMEOUT_S):
            raise self._away(f"{AT_ONCE} people wait for it")
        try:
            yield
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise self._away(f"{type(error).__name__}: {error}") from error
        finally:
            self._places.release()

    def _away(self, why: str) -> SignInRefused:
        host = self._settings.host
        return SignInRefused("provider_away", f"{host} does not answer: {why}", host=host)

    def _distrusted(self, why: str) -> SignInRefused:
        host = self._settings.host
        return SignInRefused("not_trusted", f"the answer of {host} is refused: {why}", host=host)

    def _discovery(self) -> dict[str, Any]:
        if time.monotonic() - self._found_t < DISCOVERY_KEPT_S:
            return self._found
        found = self._json(f"{self._settings.issuer}/.well-known/openid-configuration")
        if str(found.get("issuer")).rstrip("/") != self._settings.issuer:
            raise self._distrusted(f"it calls itself {found.get('issuer')!r}")
        for name in ENDPOINTS:
            if not is_safe_address(str(found.get(name))):
                raise self._distrusted(f"{name} is {found.get(name)!r}, expected https://...")
        self._found, self._found_t = found, time.monotonic()
        return found

    def _json(self, url: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        return self._body(self._http.get(url, headers=headers))

    def _body(self, answer: httpx2.Response) -> dict[str, Any]:
        if answer.status_code >= 500:
            raise self._away(f"{answer.url.path} answers {answer.status_code}")
        try:
            body = answer.json()
        except ValueError:
            body = None
        if not (answer.is_success and isinstance(body, dict)):
            problem = body.get("error") if isinstance(body, dict) else "no JSON object"
            raise self._distrusted(f"{answer.url.path} answers {answer.status_code}, {problem}")
        return body

    def _tokens(
        self, found: dict[str, Any], attempt: SignIn, code: str, redirect_uri: str
    ) -> dict[str, Any]:
        """Exchange the code; a client with a secret identifies itself (RFC 6749, 2.3.1)."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": attempt.verifier,
        }
        name, secret = self._settings.client_id, self._settings.client_secret.get_secret_value()
        ways = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        by_header = bool(secret) and "client_secret_basic" in ways
        if not by_header:
            form |= {"client_id": name} | ({"client_secret": secret} if secret else {})
        by = httpx2.BasicAuth(quote_plus(name), quote_plus(secret)) if by_header else httpx2.Auth()
        return self._body(self._http.post(found["token_endpoint"], data=form, auth=by))

    def _checked(self, found: dict[str, Any], tokens: dict[str, Any], nonce: str) -> dict[str, Any]:
        """Return the claims of the ID token, once everything about it is right."""
        token = str(tokens.get("id_token"))
        try:
            keys = jwt.PyJWKSet.from_dict(self._json(found["jwks_uri"])).keys
            name = jwt.get_unverified_header(token).get("kid")
            of_name = [k for k in keys if k.public_key_use in ("sig", None)]
            of_name = [k for k in of_name if name is None or k.key_id == name]
            if len(of_name) != 1:
                raise self._distrusted(f"it has {len(of_name)} keys for the token, kid {name!r}")
            claims: dict[str, Any] = jwt.decode(
                token,
                of_name[0],
                algorithms=ALGORITHMS,
                audience=self._settings.client_id,
                issuer=found["issuer"],
                leeway=CLOCKS_DIFFER_S,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except jwt.PyJWTError as error:
            raise self._distrusted(f"{type(error).__name__}: {error}") from error
        if not hmac.compare_digest(str(claims.get("nonce")).encode(), nonce.encode()):
            raise self._distrusted("the token is of another sign-in (nonce)")
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1:
            if claims.get("azp") != self._settings.client_id:
                raise self._distrusted(f"the token is for {claims.get('azp')!r} (azp)")
        return claims

    def _more_claims(
        self, found: dict[str, Any], tokens: dict[str, Any], claims: dict[str, Any]
    ) -> dict[str, Any]:
        """Return what the provider says of the person only if it is asked (userinfo)."""
        endpoint, token = str(found.get("userinfo_endpoint")), tokens.get("access_token")
        if not (token and is_safe_address(endpoint)):
            return {}
        more = self._json(endpoint, {"Authorization": f"Bearer {token}"})
        if more.get("sub") != claims["sub"]:
            raise self._distrusted("it tells of another person (userinfo)")
        return {name: value for name, value in more.items() if name not in claims}


def _claim(claims: dict[str, Any], name: str) -> Any:
    """Return a claim; of `a.b`, where there is none of that name, `b` inside of `a`."""
    if name in claims:
        return claims[name]
    outer, _, inner = name.partition(".")
    inside = claims.get(outer)
    return _claim(inside, inner) if inner and isinstance(inside, dict) else None


def _with_query(url: str, query: dict[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
