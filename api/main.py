"""The application of `uvicorn api.main:app`. Importing it opens nothing: the lifespan does."""

from api.factory import create_app

app = create_app()
