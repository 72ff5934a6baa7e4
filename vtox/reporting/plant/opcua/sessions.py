"""Sessions and subscriptions of OPC UA clients, where asyncua differs from the specification."""

import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from asyncua import Server, ua
from asyncua.common.utils import ServiceError
from asyncua.crypto.permission_rules import User
from asyncua.server.internal_server import InternalServer
from asyncua.server.internal_session import InternalSession
from asyncua.server.subscription_service import SubscriptionService

# Ids are 32 bits; 0 is none.
_IDS = (1 << 32) - 1
# A token must be hard to guess (OPC 10000-4, 7.36).
_TOKEN_BYTES = 32


class _Subscriptions(SubscriptionService):  # type: ignore[misc]  # asyncua has no types
    """Refuses to send messages again that it does not have, and gives ids that cannot be guessed.

    asyncua 2.1.0 answers `Good` to Republish of a message that it does not have
    (`internal_subscription.py`, line 256). node-opcua-client asks for the next one until it gets
    `BadMessageNotAvailable` (OPC 10000-4, 5.14.6). It therefore never came to its subscription
    again. asyncua counts ids from 78 at each start.
    """

    async def create_subscription(self, *given: Any, **named: Any) -> ua.CreateSubscriptionResult:
        """Make a subscription under a random id."""
        free = (
            n for n in iter(lambda: secrets.randbelow(_IDS), -1) if n + 1 not in self.subscriptions
        )
        self._sub_id_counter = next(free)
        return await super().create_subscription(*given, **named)

    def republish(self, params: ua.RepublishParameters) -> ua.NotificationMessage:
        """Return a message that was not confirmed; raises a fault with the status that says why."""
        message = super().republish(params)
        if not message.SequenceNumber:
            raise ServiceError(ua.StatusCodes.BadMessageNotAvailable)
        return message


class _Session(InternalSession):  # type: ignore[misc]
    """Reaches no subscription of another session, and takes over only those of its user.

    asyncua 2.1.0 checks no owner, and counts the tokens by which a client continues a session on
    another connection from 1000. A client that guessed one read by the session of another, without
    a key.
    """

    user: User

    def __init__(self, of: InternalServer, *given: Any, **named: Any) -> None:
        super().__init__(of, *given, **named)
        of.unregister_external_session(self)
        self.auth_token = ua.NodeId(secrets.token_bytes(_TOKEN_BYTES))
        of.register_external_session(self)

    def activate_session(self, *given: Any, **named: Any) -> ua.ActivateSessionResult:
        """Activate it; a session that is active stays that of its user."""
        before = self.user if self.is_activated() else None
        # Host and port of the connection that made the session; of none for the server's own.
        self.iserver.user_manager.address = self.name[0] if isinstance(self.name, tuple) else ""
        result = super().activate_session(*given, **named)
        if before is not None and self.user != before:
            self.user = before
            raise ServiceError(ua.StatusCodes.BadUserAccessDenied)
        return result

    async def create_subscription(self, *given: Any, **named: Any) -> ua.CreateSubscriptionResult:
        """Make a subscription of the user of this session."""
        result = await super().create_subscription(*given, **named)
        self.subscription_service.subscriptions[result.SubscriptionId].user = self.user
        return result

    async def transfer_subscriptions(
        self, params: ua.TransferSubscriptionsParameters, callback: Callable[..., Any]
    ) -> list[ua.TransferResult]:
        """Take over subscriptions of the same user."""
        known = self.subscription_service.subscriptions

        async def take(ids: list[int]) -> list[ua.TransferResult]:
            params.SubscriptionIds = ids
            return list(await super(_Session, self).transfer_subscriptions(params, callback))

        def is_foreign(subscription_id: int) -> bool:
            return subscription_id in known and known[subscription_id].user != self.user

        denied = ua.TransferResult(StatusCode=ua.StatusCode(ua.StatusCodes.BadUserAccessDenied))
        return await _apply_to_own(params.SubscriptionIds, is_foreign, denied, take)

    async def delete_subscriptions(self, ids: list[int]) -> list[ua.StatusCode]:
        """Delete subscriptions of this session."""
        return await _apply_to_own(ids, self._is_foreign, _NOT_THERE, super().delete_subscriptions)

    async def set_publishing_mode(
        self, params: ua.SetPublishingModeParameters
    ) -> list[ua.StatusCode]:
        """Let subscriptions of this session publish, or not."""

        async def set_mode(ids: list[int]) -> list[ua.StatusCode]:
            params.SubscriptionIds = ids
            return list(await super(_Session, self).set_publishing_mode(params))

        return await _apply_to_own(params.SubscriptionIds, self._is_foreign, _NOT_THERE, set_mode)

    def publish(
        self, acks: Iterable[ua.SubscriptionAcknowledgement] | None = None
    ) -> tuple[int, list[ua.StatusCode]]:
        """Take the acknowledgements of this session."""
        given = list(acks or [])
        own = iter([a for a in given if not self._is_foreign(a.SubscriptionId)])
        count, results = super().publish(own)
        rest = iter(results)
        return count, [
            _NOT_THERE if self._is_foreign(a.SubscriptionId) else next(rest) for a in given
        ]

    def _is_foreign(self, subscription_id: int) -> bool:
        found = self.subscription_service.subscriptions.get(subscription_id)
        return found is None or found.session_id != self.session_id

    def _require_own(self, params: Any) -> None:
        if self._is_foreign(params.SubscriptionId):
            raise ServiceError(ua.StatusCodes.BadSubscriptionIdInvalid)

    def modify_subscription(self, params: ua.ModifySubscriptionParameters) -> Any:
        """Change a subscription of this session."""
        self._require_own(params)
        return super().modify_subscription(params)

    def republish(self, params: ua.RepublishParameters) -> ua.NotificationMessage:
        """Send a message of a subscription of this session again."""
        self._require_own(params)
        return super().republish(params)

    async def create_monitored_items(self, params: ua.CreateMonitoredItemsParameters) -> Any:
        """Add to a subscription of this session."""
        self._require_own(params)
        return await super().create_monitored_items(params)

    async def modify_monitored_items(self, params: ua.ModifyMonitoredItemsParameters) -> Any:
        """Change items of a subscription of this session."""
        self._require_own(params)
        return await super().modify_monitored_items(params)

    async def delete_monitored_items(self, params: ua.DeleteMonitoredItemsParameters) -> Any:
        """Take items out of a subscription of this session."""
        self._require_own(params)
        return await super().delete_monitored_items(params)

    async def set_monitoring_mode(self, params: ua.SetMonitoringModeParameters) -> Any:
        """Let items of a subscription of this session report, or not."""
        self._require_own(params)
        return await super().set_monitoring_mode(params)


_NOT_THERE = ua.StatusCode(ua.StatusCodes.BadSubscriptionIdInvalid)


async def _apply_to_own(
    ids: list[int],
    is_foreign: Callable[[int], bool],
    refusal: Any,
    do: Callable[[list[int]], Awaitable[list[Any]]],
) -> list[Any]:
    """Return the result for each id, in their order: a refusal, or that of `do` for the others."""
    foreign = [is_foreign(i) for i in ids]
    results = iter(await do([i for i, other in zip(ids, foreign, strict=True) if not other]))
    return [refusal if other else next(results) for other in foreign]


def install(server: Server) -> None:
    """Give a server that is not initialised yet these sessions and subscriptions."""
    internal = server.iserver
    service = internal.subscription_service = _Subscriptions(internal.aspace, internal)
    internal.isession.subscription_service = service

    def create_session(*given: Any, **named: Any) -> InternalSession:
        return _Session(internal, internal.aspace, service, *given, **named)

    internal.create_session = create_session
