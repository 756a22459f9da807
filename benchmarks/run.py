"""Runs the benchmarks and stores their tables: `make bench`, or `python -m benchmarks.run --only latency` for a part.

Everything takes about twenty minutes. Close what else is running first.
"""

import argparse
import sys
from importlib import import_module

from benchmarks.report import store, surroundings, where, yardstick

# In this order: training leaves TensorFlow in this process, and nothing else is to run beside it.
PARTS = ("latency", "lessons", "clinic", "grading", "training")
BUSY = 0.5  # processes that want to run, on average over the last minute


def main() -> None:
    """Measure, print and store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=PARTS, help="run one part and replace its table alone")
    parser.add_argument("--quick", action="store_true", help="see that everything runs: few repeats, nothing stored")
    options = parser.parse_args()
    here = surroundings()
    for part in [options.only] if options.only else PARTS:
        print(f"{part} ...", flush=True)
        module = import_module(f"benchmarks.{part}")  # TensorFlow is loaded by the part that needs it
        before = yardstick()
        results = module.measure(quick=options.quick)
        around = here | {"yardstick": [before, yardstick()]}
        text = f"{module.table(results)}\n\n{where(around)}"
        print(text, flush=True)
        if not options.quick:
            store(part, around | results, text)
    if here["load_before"] and here["load_before"][0] > BUSY:
        print("\nThe machine was busy before this began: do not trust these numbers.", file=sys.stderr)


if __name__ == "__main__":
    main()
