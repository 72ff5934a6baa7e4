"""Makes the application: routes, errors, limits, and the resources open while it runs."""

import asyncio
import gc
import multiprocessing
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import structlog
from fastapi import FastAPI
from starlette.types import ASGIApp

from api.http import errors
from api.http.gate import Gate
from api.openapi_document import openapi_document
from api.routes import (
    alarms,
    alerts,
    audit,
    backtest,
    commissioning,
    coverage,
    dead_letters,
    diagnoses,
    docs,
    energy,
    evidence,
    figures,
    fleet,
    health,
    history,
    machine_events,
    machines,
    operating,
    pages,
    profiles,
    reports,
    scalars,
    sensitivity,
    sessions,
    spectra,
    system,
    windows,
)
from api.shapes.growth import Growths
from api.state.backend import Backend
from api.state.key_warning import warn_missing_key
from api.state.server import AWAY
from vtox.motor.errors import SystemStateError
from vtox.pipeline.cluster import logging_setup, parent_watch
from vtox.pipeline.cluster.api_owned import ApiOwnedCluster
from vtox.pipeline.configuration import settings as settings_module
from vtox.pipeline.configuration.settings import Settings
from vtox.pipeline.configuration.version import RELEASE
from vtox.pipeline.errors import SettingsError
from vtox.pipeline.store.system import apikeys
from vtox.pipeline.store.system.agreement import api_terms, require_agreement

log = structlog.get_logger()

DESCRIPTION = """\
Condition monitoring for fleets of electric motors. Windows go in by
`POST /api/v1/machines/{machine_id}/windows` (or by `XADD motor_raw_data` from any Redis client);
diagnoses, health and alerts come out. Times are UTC: RFC 3339, or seconds since 1970 in fields
named `t` or `t_...`. Units are suffixes of names. What is not known is `null`, with a `reason`.

Every diagnosis and alert has a `code` for programs, a `reason` for people and `what_to_do`. Lists
come in pages: follow `next` until it is `null`. Sentences are in English or Chinese (`zh`), as
`Accept-Language` or `lang` says. Later versions add fields, codes and routes.
"""


class _Application(FastAPI):
    """The gate is around everything, including the answer to a failure of VTOX."""

    def build_middleware_stack(self) -> ASGIApp:
        """Return the layers that a request passes."""
        return Gate(super().build_middleware_stack())


def create_app(settings: Settings | None = None) -> FastAPI:
    """Return the application; without `settings` they are read when it starts."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if parent := multiprocessing.parent_process():
            # One of several `--workers`, which outlive a killed parent unless they watch it. The id
            # is that of the start: the parent may be gone by now, and process 1 may be our parent.
            parent_watch.watch_parent(parent.pid)
        if settings is None:
            logging_setup.setup("api")
            gc.freeze()  # as in a worker: no request waits for a collection of the imports
        loaded = settings or settings_module.load()
        with Backend(loaded) as backend:
            async with ApiOwnedCluster(loaded) as cluster:
                await _check_keys(backend, cluster)
                await asyncio.to_thread(_check_terms, backend)
                app.state.backend, app.state.cluster = backend, cluster
                key_warning = asyncio.create_task(warn_missing_key(backend))
                yield
                key_warning.cancel()

    app = _Application(
        title="VTOX",
        version=RELEASE,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.only_loopback = {}
    app.state.growths = Growths()
    errors.install(app)
    for module in (
        system,
        machines,
        operating,
        fleet,
        windows,
        diagnoses,
        history,
        machine_events,
        energy,
        scalars,
        figures,  # before `alarms`, which takes any other name for the id of one
        alarms,
        alerts,
        audit,
        coverage,
        sensitivity,
        backtest,
        commissioning,
        evidence,
        spectra,
        reports,
        dead_letters,
        health,
        pages,
        profiles,
        sessions,
        docs,
    ):
        app.include_router(module.router)
    app.openapi = cache(lambda: openapi_document(app))  # type: ignore[method-assign]
    return app


async def _check_keys(backend: Backend, cluster: ApiOwnedCluster) -> None:
    """Refuse to start in production without a key, if the server responds and can say so."""
    settings = backend.settings
    if apikeys.required(settings):
        try:
            if await cluster.wait_for_server(backend.server_responds):
                apikeys.require_keys(backend.client(), settings)
            elif cluster.start_error == apikeys.NO_KEY:
                raise SettingsError(apikeys.NO_KEY)
        except SettingsError as error:
            # The framework repeats it at the end of a traceback.
            log.error("the API does not start", reason=str(error))
            raise


def _check_terms(backend: Backend) -> None:
    """Refuse to start with bridges and workers on other terms, if the server responds."""
    try:
        require_agreement(backend.client(), backend.settings, part=api_terms)
    except AWAY as error:
        log.warning("terms are not compared: no answer from the server", reason=str(error))
    except SystemStateError as error:
        log.error("the API does not start", reason=str(error))
        raise
