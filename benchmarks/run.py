"""Run benchmarks by name: ``python -m benchmarks.run protocols``, or ``all``."""

import argparse
import importlib
from time import perf_counter

from .common import note

NAMES = [
    "protocols",
    "speed",
    "accelerator",
    "small_fits",
    "streaming",
    "adam",
    "decision_linear",
    "few_rows",
    "wide",
    "intervals",
    "long_tails",
    "importances",
    "many_rows",
    "scale",
    "slow_peers",
    "landmarks",
    "loo_optimism",
    "tabular",
    "automl",
    "serving",
    "zenkai",
    "forward_gradient",
    "random_bases",
    "images",
    "paper",
    "blocks",
]


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__)
    parser.add_argument("names", nargs="*", default=["all"], help="names, or all")
    parser.add_argument("--list", action="store_true", help="print the names and exit")
    arguments = parser.parse_args()
    if arguments.list:
        print("\n".join(NAMES))
        return
    names = NAMES if arguments.names == ["all"] else arguments.names
    for number, name in enumerate(names, start=1):
        if name not in NAMES:
            parser.error(f"no benchmark {name!r}; there are {', '.join(NAMES)}")
        done = "#" * (30 * (number - 1) // len(names))
        note(f"[{done:<30}] {number}/{len(names)} {name}")
        started = perf_counter()
        importlib.import_module(f"benchmarks.{name}").main()
        print(f"{name}: {perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
