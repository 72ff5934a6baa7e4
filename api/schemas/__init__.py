"""The shapes of requests and responses, as programs, `docs/openapi.json` and `/docs` see them."""
