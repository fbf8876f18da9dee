"""`python -m api`: serve the API on settings.api_host and api_port until told to stop."""

import asyncio
import os
import socket
import sys

import structlog
import uvicorn

from api.app import create_app
from api.dependencies import open_dependencies
from logs import set_up
from settings import ApiSettings, load_installation, settings_told_plainly

log = structlog.get_logger("kairos.api")


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket.

    With its protocol named: asyncio switches Nagle's delay off only for a socket that says TCP,
    and left on it costs 40 ms a call.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((host, port))
    listening.listen(512)
    return listening


async def serve() -> None:
    """Serve until SIGTERM or SIGINT."""
    with settings_told_plainly():
        settings = ApiSettings()
        settings.check_keys()
        settings.check_rehearsal(load_installation(settings.installation_file))
    set_up(settings.log_level)
    with listen(settings.api_host, settings.api_port) as listening:
        async with open_dependencies(settings) as deps:
            config = uvicorn.Config(
                create_app(deps),
                http="httptools",
                loop="asyncio",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                timeout_graceful_shutdown=10,
            )
            log.info("api_started", port=listening.getsockname()[1])
            await uvicorn.Server(config).serve(sockets=[listening])
    log.info("api_stopped")


if __name__ == "__main__":
    asyncio.run(serve())
    sys.stdout.flush()
    os._exit(0)  # the SDK's threads may crash an interpreter that takes its time to end
