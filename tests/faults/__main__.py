"""`python -m tests.faults --refits 60`: more interrupted refits than the tests try, and memory."""

import argparse
import sys
import warnings

from .interrupts import MODELS, interrupted_refits
from .memory import growth

parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
parser.add_argument("--refits", type=int, default=60, help="of each model, 60 unless given")
parser.add_argument("--fits", type=int, default=50, help="of different sizes, for their memory")
parser.add_argument("--seed", type=int, default=0)
options = parser.parse_args()
warnings.simplefilter("ignore")
neither = 0
for model in MODELS:
    found = interrupted_refits(model, options.refits, options.seed)
    neither += found["neither"]
    print(" ".join(repr(model).split()), *(f"{name}: {n}" for name, n in found.items()))
megabytes = growth(options.fits, options.seed)
print(f"{options.fits} fits of different sizes with backend='jax' add {megabytes:.0f} MB")
sys.exit(neither > 0 or megabytes > 200)
