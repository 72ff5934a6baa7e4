"""Who acts on alarms: the name of the API key, or where none is needed the name that is sent."""

from fastapi import Request

from api.errors import Problem


def operator(request: Request, by: str | None) -> dict[str, str]:
    """Return name and key id of who acts, or raise the problem that a name is missing."""
    key_id = getattr(request.state, "key_id", "")
    if key_id:
        return {"by": request.state.key_name, "key_id": key_id}
    if not by:
        raise Problem(
            "invalid", "by: no API key is used here, so send the name of who acts", field="by"
        )
    return {"by": by, "key_id": ""}
