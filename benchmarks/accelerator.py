"""The eleven-layer network on an accelerator, beside NumPy on the processor of the same machine.

MNIST in float64, with a relaxation of 1 and a first layer that keeps half of its initial weights.
The first fit of a size waits for compilers, and the very first for the
device; *warm* is the median of those after it, *fit / products* that beside the time in which the
device would multiply all Gram matrices at the rate of its large products, measured in the run.
Without an accelerator nothing is measured and nothing written.
"""

import statistics
import sys
from functools import partial

import numpy as np

from sklearn_zorb import ZORBClassifier

from .common import images, note, save, show, timed
from .speed import WIDTHS

ROWS = (60_000, 20_000)
WARM_FITS = 7
ORDER = 8192


def product_rate(jax):
    """Flops a second of large float64 products on the device."""
    with jax.enable_x64(True):
        square = jax.random.normal(jax.random.key(0), (ORDER, ORDER), dtype="float64")
        _, seconds = timed(lambda: (square @ square).block_until_ready(), repeats=5, warm_up=1)
    return 2 * ORDER**3 / seconds


def model(backend):
    first, *others = WIDTHS["11-layer"]
    layers = " ".join([
        f"Dense[{first}, relaxation=.5] Tanh",
        *(f"Dense[{width}] Tanh" for width in others),
    ])  # fmt: skip
    return ZORBClassifier(
        layers, relaxation=1.0, readout="last", standardize=False, random_state=0, backend=backend
    )


def main():
    import jax

    if jax.default_backend() == "cpu":
        print("accelerator: JAX finds none; nothing measured", file=sys.stderr)
        return
    device = jax.devices()[0].device_kind
    X, y, X_test, y_test = images("mnist")
    X, rows, rate = X.astype(np.float64), [], None
    for n_rows in ROWS:
        part = X[:n_rows], y[:n_rows]
        note(f"{n_rows} rows")
        (fitted, first), seconds = timed(lambda part=part: model("jax").fit(*part)), []
        for _ in range(WARM_FITS):
            seconds.append(timed(lambda part=part: model("jax").fit(*part))[1])
        auto = model("auto").fit(*part).model_.backend
        rate = product_rate(jax) if rate is None else rate
        flops = 2 * n_rows * sum(width**2 for width in [X.shape[1], *WIDTHS["11-layer"]])
        other, processor = timed(lambda part=part: model("numpy").fit(*part))
        predict = [
            timed(partial(one.predict, part[0]), repeats=3, warm_up=1)[1] for one in (fitted, other)
        ]
        warm = statistics.median(seconds)
        rows.append({
            "rows": n_rows, "auto takes": auto, "first s": first, "warm s": warm,
            "numpy s": processor, "numpy / warm": processor / warm,
            "test": fitted.score(X_test, y_test), "numpy test": other.score(X_test, y_test),
            "predict s": predict[0], "numpy predict / predict": predict[1] / predict[0],
            "device TFLOP/s": rate / 1e12, "fit / products": warm / (flops / rate),
        })  # fmt: skip
        save("accelerator", rows, device=device)
    show(rows)


if __name__ == "__main__":
    main()
