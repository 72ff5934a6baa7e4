"""What `uvicorn api.main:app` serves. Importing it opens nothing: the lifespan does."""

from api.factory import create_app

app = create_app()
