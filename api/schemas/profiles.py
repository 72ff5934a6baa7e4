"""Shapes of the profile of a machine."""

from api.schemas.common import ResponseModel
from api.schemas.view import Reason
from vtox.motor.alarms.profile.picture import ProfilePicture


class MachineProfile(ResponseModel):
    """The profile of a machine, and why its load has none."""

    machine_id: str
    no_profile: Reason | None
    """why no load is unusual; null: the load has a profile"""
    open: list[str]
    """conditions that are open: `load_low`, `load_high`, `runs_unusually`, `starts_often`,
    `supply_off`"""
    profile: ProfilePicture
