"""The command line: ``python -m lossacc_helpers diagnose FILE``, installed as ``lossacc diagnose FILE`` too."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

ANSWERED, UNREADABLE = 0, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0 answered, 2 the input could not be read or the call was wrong."""
    parser = argparse.ArgumentParser(prog="lossacc", description="Loss versus accuracy: tools of the course.")
    commands = parser.add_subparsers(dest="command", required=True)
    clinic = commands.add_parser("diagnose", help="say what may be wrong with the curves of a training")
    clinic.add_argument("file", help="a log, CSV or JSON of curves; - reads standard input")
    clinic.add_argument("--classes", type=int, metavar="N", help="how many classes there are")
    clinic.add_argument("--validation-size", type=int, metavar="N", help="how many samples were validated on")
    clinic.add_argument("--json", action="store_true", help="print the findings as JSON")
    options = parser.parse_args(arguments)

    from lossacc_helpers.clinic import diagnose  # so that --help needs nothing

    try:
        if options.file == "-" and sys.stdin is None:
            raise ValueError("there is no standard input to read")
        curves = sys.stdin.buffer.read() if options.file == "-" else Path(options.file)
        found = diagnose(curves, classes=options.classes, validation_size=options.validation_size)
    except ValueError as error:
        print(f"lossacc: {error}", file=sys.stderr)
        return UNREADABLE
    try:
        print(json.dumps(found.as_dict(), indent=2) if options.json else found, flush=True)
    except BrokenPipeError:  # whoever reads it, a pager say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return ANSWERED


if __name__ == "__main__":
    sys.exit(main())
