"""Who acts: the name of the API key, or where none is needed the name that is sent."""

from typing import Any

from fastapi import Request

from api.errors import Problem

NAME_MAX = 64


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


def named_operator(request: Request, by: Any) -> str:
    """Return who acts as one text: the name, and the id of the key in brackets."""
    is_name = isinstance(by, str) and by.isprintable() and len(by.strip()) <= NAME_MAX
    if by is not None and not is_name:
        detail = f"by: expected the name of who acts, at most {NAME_MAX} printable characters"
        raise Problem("invalid", detail, field="by")
    who = operator(request, by and by.strip())
    return f"{who['by']} ({who['key_id']})" if who["key_id"] else who["by"]
