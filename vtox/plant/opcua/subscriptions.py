"""Subscriptions of OPC UA clients that come back, where asyncua differs from the specification."""

import secrets

from asyncua import Server, ua
from asyncua.common.utils import ServiceError
from asyncua.server.internal_server import InternalServer
from asyncua.server.subscription_service import SubscriptionService

# Ids are 32 bits; below, so many more fit.
_FIRST_BELOW = 1 << 31


class _Subscriptions(SubscriptionService):  # type: ignore[misc]  # asyncua has no types
    """Refuses to send again what is not there, and gives ids that no earlier start has given.

    asyncua 2.1.0 answers `Good` to Republish of a message that it does not have
    (`internal_subscription.py`, line 256). node-opcua-client asks for the next one until it gets
    `BadMessageNotAvailable` (OPC 10000-4, 5.14.6), so that it never came to its subscription again.
    asyncua counts ids from 78 at each start: TransferSubscriptions of one client would take the new
    subscription of another.
    """

    def __init__(self, of: InternalServer) -> None:
        super().__init__(of.aspace, of)
        self._sub_id_counter = secrets.randbelow(_FIRST_BELOW)

    def republish(self, params: ua.RepublishParameters) -> ua.NotificationMessage:
        """Return a message that was not confirmed; raises a fault with the status that says why."""
        if params.SubscriptionId not in self.subscriptions:
            raise ServiceError(ua.StatusCodes.BadSubscriptionIdInvalid)
        message = super().republish(params)
        if not message.SequenceNumber:
            raise ServiceError(ua.StatusCodes.BadMessageNotAvailable)
        return message


def install(server: Server) -> None:
    """Give a server that is not initialised yet these subscriptions."""
    internal = server.iserver
    internal.subscription_service = internal.isession.subscription_service = _Subscriptions(
        internal
    )
