"""Writes the OpenAPI document: `python -m api.openapi docs/openapi.json`, or `make openapi`."""

import json
import sys
from pathlib import Path

from api.main import app


def document_text() -> str:
    """Return the document as it is kept in the repository."""
    return json.dumps(app.openapi(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document_text())
