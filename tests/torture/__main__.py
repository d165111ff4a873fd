"""`python -m tests.torture --cases 5000`: more cases than the tests run."""

import argparse
import sys
from time import perf_counter

from .cases import failures

parser = argparse.ArgumentParser(prog="python -m tests.torture", description=__doc__)
parser.add_argument("--cases", type=int, default=1000, help="how many, 1000 unless given")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--first", type=int, default=0, help="the number of the first of them")
parser.add_argument("--jax", action="store_true", help="half of them with backend='jax'")
options = parser.parse_args()
start = perf_counter()
found, counts = failures(
    options.seed,
    range(options.first, options.first + options.cases),
    backends=("numpy", "jax") if options.jax else ("numpy",),
)
print(f"{options.cases} cases of seed {options.seed} in {perf_counter() - start:.0f} s: "
      f"{counts['finite']} finite, {counts['refused']} refused, {len(found)} wrong")  # fmt: skip
sys.exit(bool(found))
