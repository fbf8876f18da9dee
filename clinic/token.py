"""`./dev token`: an access token from the issuer of a kept clinic, for trying the API by hand."""

import argparse
import sys
from pathlib import Path

from clinic.addresses import STORY, WHERE, issuer_directory
from clinic.issuer import Issuer

ROLES = (
    "care-manager",
    "nurse",
    "prescriber",
    "tms-operator",
    "medical-director",
    "operations",
    "integrator",
    "auditor",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="./dev token", description=__doc__)
    parser.add_argument("--role", choices=ROLES, required=True)
    parser.add_argument("--subject", help="who it is for; default: a name made from the role")
    parser.add_argument("--site", action="append", help="may be repeated; manhattan by default")
    parser.add_argument("--minutes", type=float, default=480)
    parser.add_argument("--directory", type=Path, default=WHERE)
    parser.add_argument("--story", action="store_true", help="for the clinic of ./dev up --story")
    arguments = parser.parse_args()
    if arguments.story:
        arguments.directory = STORY
    where = issuer_directory(arguments.directory)
    if not (where / "signing-key.json").is_file():
        sys.stderr.write(f"there is no clinic in {arguments.directory}; start one with ./dev up\n")
        return 1
    subject = arguments.subject or f"dev.{arguments.role}"
    sites = arguments.site or ["manhattan"]
    sys.stdout.write(
        Issuer(where).token(subject, [arguments.role], sites, arguments.minutes) + "\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
