"""`./dev attack ehr`: an EHR that lies or is slow, each kind of it over many seeds, counted there.

Real PostgreSQL and the real delivery, on a clock that a run moves: for each cell how many writes
stood once by themselves, how many after a person had looked, and how many twice (there must be
none). Too long for CI, which plays one seed of each.
"""

import argparse
import asyncio
import sys
import time
from collections import Counter
from contextlib import AsyncExitStack

import psycopg
from psycopg import sql

import logs
from clinic import Postgres, RunDirectory
from fhir_adapters.ehr import Ehr, Ehrs
from fhir_adapters.profile.generic import GENERIC
from protocols.loader import load_protocols
from store import schema
from store.database import Database
from store.ehr_tables import METADATA
from tests.activities.hurt import HurtEhr, a_lane
from tests.activities.lying import INNER, Cell, play
from tests.activities.test_lies import CELLS
from tests.conftest import REPOSITORY


async def _played(url: str, database: Database, cell: Cell, seed: int) -> Counter[str]:
    """Play one seed of a cell on an empty database; says what went wrong."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        tables = sql.SQL(", ").join(sql.Identifier(t.name) for t in METADATA.sorted_tables)
        connection.execute(sql.SQL("truncate {} restart identity").format(tables))
    protocol = load_protocols(REPOSITORY / "protocols").combined("esketamine-then-dtms")
    ehr = HurtEhr()
    async with AsyncExitStack() as stack:
        listening = await asyncio.start_server(ehr.serve, "127.0.0.1", 0)
        stack.callback(listening.close)
        ehr.base_url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/fhir"
        ehrs = Ehrs(
            [
                Ehr(
                    "ehr",
                    ehr.base_url,
                    GENERIC,
                    other_bases=(INNER,),
                    changes_unversioned=not cell.versions,
                )
            ]
        )
        stack.push_async_callback(ehrs.close)
        lane = await a_lane(database, protocol, ehr, ehrs, cell.said, proved=False)
        told = await play(lane, cell, seed)
    for wrong in [*told.twice, *told.wrong]:
        print(f"  {cell}, seed {seed}: {wrong}", flush=True)
    return told.count()


async def _run(options: argparse.Namespace) -> int:
    run = RunDirectory("attack")
    server = Postgres(run, run.path / "postgres", ephemeral=True)
    bad = 0
    try:
        await server.start()
        schema.upgrade(server.url)
        database = Database(server.url)
        for cell in [each for each in CELLS if options.only in str(each)]:
            began, counts = time.monotonic(), Counter[str]()
            for seed in range(options.first, options.first + options.count):
                counts += await _played(server.url, database, cell, seed)
            bad += counts["twice"] + counts["wrong"]
            writes = counts["once"] + counts["person"]
            share = 100 * counts["person"] / writes
            print(
                f"{cell}: {writes} writes, {share:.1f} % by a person, {counts['twice']} twice,"
                f" {counts['wrong']} otherwise wrong, {time.monotonic() - began:.0f} s",
                flush=True,
            )
        await database.close()
    finally:
        await server.stop()
        run.close()
    return 1 if bad else 0


def main(arguments: list[str]) -> int:
    """Play every cell, or those whose words contain `--only`; 1 if anything stood twice."""
    logs.set_up("ERROR", sys.stderr)
    parser = argparse.ArgumentParser(prog="./dev attack ehr", description=__doc__)
    parser.add_argument("--first", type=int, default=0, help="the first seed (%(default)s)")
    parser.add_argument("--count", type=int, default=200, help="seeds a cell (%(default)s)")
    parser.add_argument("--only", default="", help="cells whose words contain this")
    return asyncio.run(_run(parser.parse_args(arguments)))
