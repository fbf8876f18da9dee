"""The real parts that the demo, `./dev up` and the tests run on: started, owned, hurt, stopped.

Nothing clinical is in here, and nothing here is for production.
"""

from clinic.box import Addresses, Clinic, Commands
from clinic.ehr import Ehr
from clinic.fault_proxy import Call, FaultProxy
from clinic.issuer import Issuer
from clinic.postgres import Postgres
from clinic.process import Child, PartFailed
from clinic.rundir import RunDirectory
from clinic.still import Ledger
from clinic.temporal_server import DevServer, TestServer
from clinic.time_mover import TimeStoodStill, VirtualTime

__all__ = [
    "Addresses",
    "Call",
    "Child",
    "Clinic",
    "Commands",
    "DevServer",
    "Ehr",
    "FaultProxy",
    "Issuer",
    "Ledger",
    "PartFailed",
    "Postgres",
    "RunDirectory",
    "TestServer",
    "TimeStoodStill",
    "VirtualTime",
]
