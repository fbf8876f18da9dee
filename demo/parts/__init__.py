"""The real parts that the demo, `./dev up` and the tests run on: started, owned, hurt, stopped.

Nothing clinical is in here, and nothing here is for production.
"""

from demo.parts.clinic import Addresses, Clinic, Commands
from demo.parts.ehr import Ehr
from demo.parts.issuer import Issuer
from demo.parts.postgres import Postgres
from demo.parts.process import Child, PartFailed
from demo.parts.rundir import RunDirectory
from demo.parts.temporal import DevServer, TestServer
from demo.parts.time_mover import TimeStoodStill, VirtualTime
from demo.parts.wire import Call, Wire

__all__ = [
    "Addresses",
    "Call",
    "Child",
    "Clinic",
    "Commands",
    "DevServer",
    "Ehr",
    "Issuer",
    "PartFailed",
    "Postgres",
    "RunDirectory",
    "TestServer",
    "TimeStoodStill",
    "VirtualTime",
    "Wire",
]
