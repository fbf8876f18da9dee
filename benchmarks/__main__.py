"""`./dev bench`: the demo, commands, deliveries, peers, an outage, rules, thousands coming back."""

import argparse
import asyncio

from benchmarks import commands, deliveries, demo, domain_rate, outage, peers, recovery
from benchmarks.peers import comparison, figures
from demo.screen import Screen


def main() -> None:
    """Measure what was asked for, and print it."""
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    kinds = parser.add_subparsers(dest="what")
    of_demo = kinds.add_parser("demo", help=demo.__doc__)
    of_demo.add_argument("--runs", type=int, default=3)
    of_recovery = kinds.add_parser("recovery", help=recovery.__doc__)
    of_recovery.add_argument("--pathways", type=int, default=5_000)
    of_recovery.add_argument("--gone", type=int, default=100)
    of_deliveries = kinds.add_parser("deliveries", help=deliveries.__doc__)
    of_deliveries.add_argument("--patients", type=int, default=20)
    of_deliveries.add_argument("--each", type=int, default=50)
    of_peers = kinds.add_parser("peers", help=peers.__doc__)
    of_peers.add_argument("--patients", type=int, default=20)
    of_peers.add_argument("--each", type=int, default=50)
    of_peers.add_argument("--lost", type=int, default=50, metavar="NTH")
    of_peers.add_argument("--rounds", type=int, default=3)
    kinds.add_parser("domain", help=domain_rate.__doc__)
    of_outage = kinds.add_parser("outage", help=outage.__doc__)
    of_outage.add_argument("--patients", type=int, default=100)
    of_outage.add_argument("--each", type=int, default=10)
    of_outage.add_argument("--seconds", type=float, default=40.0)
    of_commands = kinds.add_parser("commands", help=commands.__doc__)
    of_commands.add_argument("--serial", type=int, default=100)
    of_commands.add_argument("--at-once", type=int, default=50)
    of_commands.add_argument("--each", type=int, default=8)
    of_commands.add_argument("--rounds", type=int, default=2)
    arguments = parser.parse_args()
    if arguments.what == "domain":
        domain_rate.measure(Screen())
        return
    if arguments.what == "peers":
        what = (arguments.patients, arguments.each, arguments.lost, arguments.rounds)
        figures.show(asyncio.run(comparison.measure(*what, Screen())), Screen())
        return
    if arguments.what == "outage":
        how_long = (arguments.patients, arguments.each, arguments.seconds)
        asyncio.run(outage.measure(*how_long, Screen()))
        return
    if arguments.what == "commands":
        how = (arguments.serial, arguments.at_once, arguments.each, arguments.rounds)
        asyncio.run(commands.measure(*how, Screen()))
        return
    if arguments.what == "deliveries":
        asyncio.run(deliveries.measure(arguments.patients, arguments.each, Screen()))
    elif arguments.what == "recovery":
        asyncio.run(recovery.measure(arguments.pathways, arguments.gone, Screen()))
    else:
        demo.measure(getattr(arguments, "runs", 3), Screen())


if __name__ == "__main__":
    main()
