"""Commissioning: a check of wiring and nameplate, and the channel map that corrects them."""

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request
from pydantic import WithJsonSchema

from api.http.errors import not_found
from api.http.json_route import JsonRoute
from api.http.query import NO_PARAMETERS
from api.routes.machines import MachineId
from api.routes.spectra import OF_CURRENTS, phasors_of
from api.routes.system import OpenBackend
from api.schemas.commissioning import (
    CHANNEL_MAP_IN,
    ChannelMapVersion,
    ChannelSource,
    MachineChannelMap,
    MachineCommissioning,
    Verdict,
)
from api.schemas.common import Data
from api.shapes.kept_records import latest_record
from api.shapes.machine_settings import setting_of_body, time_set
from api.state.auth import needs
from api.state.backend import Backend
from api.state.operator import actor_of, named_operator
from vtox.motor.errors import SpectrumError
from vtox.motor.values.channel_map import ChannelMap, Sources, compose_sources, sources_from_dict
from vtox.motor.values.domain import CURRENTS
from vtox.pipeline.store.machines.channel_maps import CHANNEL_MAP
from vtox.pipeline.store.machines.machine_settings import present_setting, setting_versions
from vtox.pipeline.store.machines.machines import is_listed
from vtox.pipeline.store.system.deeds import change_channel_map

if TYPE_CHECKING:
    from vtox.motor.diagnosis.commissioning.findings import Commissioning

router = APIRouter(prefix="/api/v1/machines", tags=["machines"], route_class=JsonRoute)


@router.get(
    "/{machine_id}/commissioning",
    dependencies=[*needs("read"), *NO_PARAMETERS],
    summary="Wiring and nameplate, compared with the signals",
)
def get_commissioning(machine_id: MachineId, backend: OpenBackend) -> Data[MachineCommissioning]:
    """Check the latest record for wrong wiring, ratios and rated values, in words and phasors.

    Nothing is corrected by this: `PUT .../channel-map` sets the proposed map, or another.
    """
    from vtox.motor.diagnosis.commissioning.findings import commissioning

    kept = latest_record(backend, machine_id, OF_CURRENTS, CURRENTS)
    present = present_setting(backend.client(), machine_id, CHANNEL_MAP)
    with backend.computing():
        found = commissioning(kept.recording, kept.motor)
    try:
        phasors = phasors_of(backend, kept)
    except SpectrumError:
        phasors = None
    proposed = found.proposal
    if proposed is not None:
        proposed = compose_sources(proposed, present.channels)
    return Data(
        data=MachineCommissioning.of(
            found,
            machine_id=machine_id,
            verdict=_verdict(found),
            proposed_channels=None if proposed is None else _sources(proposed),
            channel_map=_version(present),
            record=kept.info,
            phasors=phasors,
        )
    )


@router.get(
    "/{machine_id}/channel-map",
    dependencies=[*needs("read"), *NO_PARAMETERS],
    summary="Which channel of a machine is which",
)
def get_channel_map(machine_id: MachineId, backend: OpenBackend) -> Data[MachineChannelMap]:
    """Return the channel map in force and its versions; other channels are as sent."""
    return Data(data=_of_machine(machine_id, backend))


@router.put(
    "/{machine_id}/channel-map",
    dependencies=[*needs("engineer"), *NO_PARAMETERS],
    summary="Set which channel of a machine is which",
    responses={404: {}, 409: {}},
)
def put_channel_map(
    request: Request,
    machine_id: MachineId,
    channel_map: Annotated[dict[str, Any], WithJsonSchema(CHANNEL_MAP_IN)],
    backend: OpenBackend,
) -> Data[MachineChannelMap]:
    """Replace the channel map, as a new version, from the next record of the machine on.

    Every diagnosis sees the channels that come out of it, and says so in its evidence. A baseline
    that was learnt under a map of other channels is not used, and another one is learnt.
    """
    who = named_operator(request, channel_map.pop("by", None))
    channels, expected = setting_of_body(channel_map, CHANNEL_MAP_IN, "channels", "bad_channel_map")
    sources = sources_from_dict(channels)
    client, actor = backend.client(), actor_of(request, who)
    change_channel_map(client, actor, machine_id, sources, by=who, expected_version=expected)
    return Data(data=_of_machine(machine_id, backend))


def _verdict(found: "Commissioning") -> Verdict:
    if found.findings:
        return "findings"
    # Pole pairs are known from the nameplate alone.
    return "sound" if set(found.checked) - {"pole_pairs"} else "unknown"


def _of_machine(machine_id: str, backend: Backend) -> MachineChannelMap:
    client = backend.client()
    if not is_listed(client, machine_id):
        raise not_found(f"machine {machine_id!r} is not known: it has not sent a window yet")
    present = _version(present_setting(client, machine_id, CHANNEL_MAP))
    earlier = setting_versions(client, machine_id, CHANNEL_MAP)
    return MachineChannelMap(
        **present.model_dump(), machine_id=machine_id, versions=[_version(m) for m in earlier]
    )


def _version(m: ChannelMap) -> ChannelMapVersion:
    return ChannelMapVersion.of(m, set=time_set(m))


def _sources(sources: Sources) -> dict[str, ChannelSource]:
    return {name: ChannelSource.of(source) for name, source in sources.items()}
