"""Closed-form networks of images, each one line of text: accuracy, seconds and memory.

    python -m benchmarks.images                          # all of them, to results/images.json
    python -m benchmarks.images --only kmnist
    python -m benchmarks.images --only cifar10 --held 2000 --rows 5000 --layers "Conv2D[...] ..."

Lines are chosen on training images that are held out with ``--held``, and which leave the results
as they are. Test images are read once, at the end. Of KMNIST the 10 000 test images are
at hand, and are split into 8000 and 2000, stratified; CIFAR-10 means 12 000 training images.

``--rival`` trains a network of three convolutions by Adam in PyTorch, at three rates.
"""

import argparse
import multiprocessing
import resource
from time import perf_counter, process_time

from sklearn.model_selection import train_test_split

from sklearn_zorb import ZORBClassifier

from .common import images, note, quiet, save, saved, show

NETWORKS = {}
SHAPES = {"mnist": (28, 28, 1), "fashion_mnist": (28, 28, 1), "kmnist": (28, 28, 1),
          "cifar10": (32, 32, 3)}  # fmt: skip


def data_of(name, held=0, rows=None):
    """Training and test images; with `held`, so many training images in place of the test."""
    X, y, X_test, y_test = images(name)
    if X_test is None:
        X, X_test, y, y_test = train_test_split(X, y, test_size=2000, stratify=y, random_state=0)
    if held:
        X, X_test, y, y_test = train_test_split(X, y, test_size=held, stratify=y, random_state=0)
    if rows:
        X, _, y, _ = train_test_split(X, y, train_size=rows, stratify=y, random_state=0)
    return X, y, X_test, y_test


def fitted(name, layers, held=0, rows=None):
    """Fit one line, and tell what it took."""
    X, y, X_test, y_test = data_of(name, held, rows)
    model = ZORBClassifier(
        layers, input_shape=SHAPES[name], standardize=False, readout="last", dtype="float32",
        random_state=0,
    )  # fmt: skip
    started = perf_counter(), process_time()
    model.fit(X, y)
    seconds, cpu = perf_counter() - started[0], process_time() - started[1]
    started = perf_counter()
    accuracy = model.score(X_test, y_test)
    return {
        "data": name, "images": len(X), "accuracy": accuracy, "fit s": seconds, "CPU s": cpu,
        "ms an image": 1e3 * (perf_counter() - started) / len(X_test),
        "peak GB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, "layers": layers,
    }  # fmt: skip


def alone(function, *arguments):
    """Call a function in a process of its own, whose peak of memory is that of the call."""
    with multiprocessing.get_context("spawn").Pool(1, quiet) as pool:
        return pool.apply(function, arguments)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(SHAPES), default=list(SHAPES))
    parser.add_argument(
        "--held", type=int, default=0, help="training images held out, in place of the test"
    )
    parser.add_argument("--rows", type=int, help="training images")
    parser.add_argument("--layers", nargs="+", help="lines to try")
    chosen = parser.parse_args(arguments or [])
    if chosen.held:
        for name in chosen.only:
            for layers in chosen.layers or [NETWORKS[name]]:
                show([alone(fitted, name, layers, chosen.held, chosen.rows)])
        return
    found = saved("images", "data")
    for name in chosen.only:
        note(name)
        found[(name,)] = alone(fitted, name, NETWORKS[name], 0, chosen.rows)
        save("images", list(found.values()))
    show(found.values())


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
