"""The OIDC provider at which people sign in: authorization code with PKCE, ID token checked.

https://openid.net/specs/openid-connect-core-1_0.html, sections 3.1 and 5.3, and RFC 7636. The
state of a browser's sign-in is kept elsewhere (`sign_in_attempt`). The provider may change its
keys: they are read with each sign-in.
"""

import asyncio
import hmac
import json
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from urllib.parse import quote_plus, urlencode

import httpx2
import jwt

from api.schemas.common import NAME_MAX
from api.state.errors import SignInRefused
from api.state.people import ROLES, scopes_of
from api.state.sign_in_attempt import SignIn
from vtox.pipeline.configuration.tables import Oidc, is_safe_address
from vtox.pipeline.store.system.sessions import Person

# For all requests of one sign-in, usually three.
DEADLINE_S = 10.0
# Limits the work that strangers cause the provider, and us, with codes that they make up.
AT_ONCE = 4
# The page of this refusal tries again, so that a person never waits longer without a page.
PLACE_WAIT_S = 0.5
# Tokens with hundreds of groups, and the keys of large providers, take a tenth of it.
ANSWER_MAX_BYTES = 1_000_000
DISCOVERY_KEPT_S = 300.0
CLOCKS_DIFFER_S = 60.0
# Key pairs only: with a shared secret, a party that can check a token can also make one.
ALGORITHMS = tuple(f"{kind}{bits}" for kind in ("RS", "PS", "ES") for bits in (256, 384, 512))
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class Provider:
    """Used in one event loop: a request that waits for it holds no thread."""

    def __init__(self, settings: Oidc) -> None:
        self._settings = settings
        self._places = asyncio.BoundedSemaphore(AT_ONCE)
        self._found: dict[str, Any] = {}
        self._found_t = -DISCOVERY_KEPT_S
        self._trust = ssl.create_default_context()

    @asynccontextmanager
    async def signing_in(self) -> AsyncIterator[None]:
        """Hold one of the few places for requests to the provider.

        Raises `SignInRefused`: none became free in `PLACE_WAIT_S`.
        """
        try:
            async with asyncio.timeout(PLACE_WAIT_S):
                await self._places.acquire()
        except TimeoutError as error:
            why = f"{AT_ONCE} people are at {self._settings.host} already"
            raise SignInRefused("provider_busy", why, host=self._settings.host) from error
        try:
            yield
        finally:
            self._places.release()

    async def sign_in_url(self, attempt: SignIn, redirect_uri: str) -> str:
        """Return the address where the browser signs in.

        Raises `SignInRefused`: the provider does not answer.
        """
        async with self._asking() as http:
            found = await self._discovery(http)
        # Some providers send the groups only on request.
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

    async def sign_out_url(self, back: str) -> str:
        """Return the address to sign out of the provider; empty if it has no such page."""
        try:
            async with self._asking() as http:
                endpoint = (await self._discovery(http)).get("end_session_endpoint")
        except SignInRefused:
            return ""
        if not (isinstance(endpoint, str) and is_safe_address(endpoint)):
            return ""
        query = {"client_id": self._settings.client_id, "post_logout_redirect_uri": back}
        return _with_query(endpoint, query)

    async def person(self, attempt: SignIn, code: str, redirect_uri: str) -> Person:
        """Return the person who has signed in, for the code that the browser brought back.

        Raises `SignInRefused`: the provider does not answer, its answer is not to be trusted, or
        the person has no role.
        """
        async with self._asking() as http:
            found = await self._discovery(http)
            tokens = await self._tokens(http, found, attempt, code, redirect_uri)
            keys = await self._json(http, found["jwks_uri"])
            claims = self._checked(found, keys, tokens, attempt.nonce)
            if _claim(claims, self._settings.claim) is None:
                claims = claims | await self._more_claims(http, found, tokens, claims)
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

    @asynccontextmanager
    async def _asking(self) -> AsyncIterator[httpx2.AsyncClient]:
        """Ask the provider until the deadline; say by one error that it does not answer."""
        http = httpx2.AsyncClient(
            verify=self._trust,
            timeout=DEADLINE_S,
            follow_redirects=False,
            headers={"Accept-Encoding": "identity"},  # a packed answer has no size before it is big
        )
        try:
            async with asyncio.timeout(DEADLINE_S), http:
                yield http
        except TimeoutError as error:
            raise self._away(f"not within {DEADLINE_S:g} s") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise self._away(f"{type(error).__name__}: {error}") from error

    def _away(self, why: str) -> SignInRefused:
        host = self._settings.host
        return SignInRefused("provider_away", f"{host} does not answer: {why}", host=host)

    def _untrusted(self, why: str) -> SignInRefused:
        host = self._settings.host
        return SignInRefused("not_trusted", f"the answer of {host} is refused: {why}", host=host)

    async def _discovery(self, http: httpx2.AsyncClient) -> dict[str, Any]:
        if time.monotonic() - self._found_t < DISCOVERY_KEPT_S:
            return self._found
        url = f"{self._settings.issuer}/.well-known/openid-configuration"
        found = await self._json(http, url)
        if str(found.get("issuer")).rstrip("/") != self._settings.issuer:
            raise self._untrusted(f"it calls itself {found.get('issuer')!r}")
        for name in ENDPOINTS:
            if not is_safe_address(str(found.get(name))):
                raise self._untrusted(f"{name} is {found.get(name)!r}, expected https://...")
        self._found, self._found_t = found, time.monotonic()
        return found

    async def _json(
        self, http: httpx2.AsyncClient, url: str, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        return await self._body(http.stream("GET", url, headers=headers))

    async def _body(
        self, answering: AbstractAsyncContextManager[httpx2.Response]
    ) -> dict[str, Any]:
        async with answering as answer:
            if answer.status_code >= 500:
                raise self._away(f"{answer.url.path} answers {answer.status_code}")
            content = await self._content(answer)
        try:
            body = json.loads(content)
            _require_text(body)
        except (ValueError, RecursionError):
            body = None
        if not (answer.is_success and isinstance(body, dict)):
            problem = body.get("error") if isinstance(body, dict) else "no JSON object"
            raise self._untrusted(f"{answer.url.path} answers {answer.status_code}, {problem}")
        return body

    async def _content(self, answer: httpx2.Response) -> bytes:
        content = bytearray()
        async for part in answer.aiter_raw():
            content += part
            if len(content) > ANSWER_MAX_BYTES:
                raise self._untrusted(f"{answer.url.path} sends over {ANSWER_MAX_BYTES} bytes")
        return bytes(content)

    async def _tokens(
        self,
        http: httpx2.AsyncClient,
        found: dict[str, Any],
        attempt: SignIn,
        code: str,
        redirect_uri: str,
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
        return await self._body(http.stream("POST", found["token_endpoint"], data=form, auth=by))

    def _checked(
        self, found: dict[str, Any], jwks: dict[str, Any], tokens: dict[str, Any], nonce: str
    ) -> dict[str, Any]:
        """Return the claims of the ID token, once everything about it is right."""
        token = str(tokens.get("id_token"))
        try:
            keys = jwt.PyJWKSet.from_dict(jwks).keys
            name = jwt.get_unverified_header(token).get("kid")
            of_name = [k for k in keys if k.public_key_use in ("sig", None)]
            of_name = [k for k in of_name if name is None or k.key_id == name]
            if len(of_name) != 1:
                raise self._untrusted(f"it has {len(of_name)} keys for the token, kid {name!r}")
            claims: dict[str, Any] = jwt.decode(
                token,
                of_name[0],
                algorithms=ALGORITHMS,
                audience=self._settings.client_id,
                issuer=found["issuer"],
                leeway=CLOCKS_DIFFER_S,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
            _require_text(claims)
        except (jwt.PyJWTError, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise self._untrusted(f"{type(error).__name__}: {error}") from error
        if not hmac.compare_digest(str(claims.get("nonce")).encode(), nonce.encode()):
            raise self._untrusted("the token is of another sign-in (nonce)")
        if isinstance(claims["aud"], list) and len(claims["aud"]) > 1:
            if claims.get("azp") != self._settings.client_id:
                raise self._untrusted(f"the token is for {claims.get('azp')!r} (azp)")
        return claims

    async def _more_claims(
        self,
        http: httpx2.AsyncClient,
        found: dict[str, Any],
        tokens: dict[str, Any],
        claims: dict[str, Any],
    ) -> dict[str, Any]:
        """Return the claims that the provider gives only on request (userinfo)."""
        endpoint, token = str(found.get("userinfo_endpoint")), tokens.get("access_token")
        if not (token and is_safe_address(endpoint)):
            return {}
        more = await self._json(http, endpoint, {"Authorization": f"Bearer {token}"})
        if more.get("sub") != claims["sub"]:
            raise self._untrusted("it names another person (userinfo)")
        return {name: value for name, value in more.items() if name not in claims}


def _require_text(content: Any) -> None:
    """Raise `ValueError` for half a surrogate: JSON may have it, and no store or header does."""
    json.dumps(content, ensure_ascii=False).encode()


def _claim(claims: dict[str, Any], name: str) -> Any:
    """Return a claim; for `a.b`, if none has that name, `b` inside of `a`."""
    if name in claims:
        return claims[name]
    outer, _, inner = name.partition(".")
    inside = claims.get(outer)
    return _claim(inside, inner) if inner and isinstance(inside, dict) else None


def _with_query(url: str, query: dict[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(query)}"
