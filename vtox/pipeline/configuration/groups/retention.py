"""How long results are kept, and up to which size: on the server, and in the history."""

from pydantic import BaseModel, Field

from vtox.pipeline.configuration.tables import Keep


class RetentionSettings(BaseModel):
    """Windows and results on the server, and the history."""

    keep: Keep = Field(
        Keep(),
        description="how long what is kept, and up to which size (table)",
        json_schema_extra={"when": "the memory or disk is small, or somebody needs more of it"},
    )
