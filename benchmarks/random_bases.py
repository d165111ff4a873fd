"""Random bases beside plain gradient descent: six networks, the published figures beside ours.

The rules of a network train for the same number of epochs, ``--quick`` for a twentieth of it,
while their rate falls linearly to a hundredth; NES, whose epoch takes as long as 64 of the
others, for fewer. "Share" is the accuracy over that of gradient descent. Cells stand apart, one
to a core, so that "seconds" are those of a single core.
Batches have 128 rows where the published ones have 32, so that rates of random bases are four
times the published ones, while gradient descent, which diverges at some of these, keeps its
own. Directions are those of a count sketch, which are orthogonal and bear rates that are larger
still, as ``FASTER`` says: of 1.5, 3, 8, 16 and 32 times on Fashion-MNIST by the fully connected
network, those most accurate on held-out training rows; elsewhere those that were so, of 2, 8 and
25 times, or of 8, 16, 32 and 64 times for convolutional networks, of orthogonal directions from a
Hadamard matrix, which take steps of the same lengths. FPD of the fully connected network on
Fashion-MNIST gives each tensor's part of a direction a length of its own, as the published code
can, at the published rate. NES tries 64 directions at a rate of .8, in place of 250 at .05: with
the convolutional network .75 on held-out rows after 50 seconds, where the published ones leave it
at chance. There is no augmentation, and CIFAR-10 means 12 000 training images.
``--only fc-mnist rbd`` runs one cell and leaves the others in the file as they are.

Figures are those of Table 1 of F. Gressmann, Z. Eaton-Rosen and C. Luschi, "Improving Neural
Network Training in Low Dimensional Random Bases", arXiv:2011.04720, as its code gives them.
"""

import multiprocessing
import os

import numpy as np

from sklearn_zorb import NetworkClassifier
from sklearn_zorb.trainers import Backprop, RandomBases

from .common import images, note, quiet, save, saved, show, size_parser

FULLY_CONNECTED = "Dense[128] ReLU"
CONVOLUTIONAL = (
    "Conv2D[32, 3] ReLU MaxPool2D[2] Conv2D[64, 3] ReLU MaxPool2D[2] Conv2D[64, 3] ReLU Flatten "
    "Dense[64] ReLU"
)
BATCH_ROWS, PUBLISHED_BATCH_ROWS = 128, 32
# rates beyond those that the size of the batch gives
FASTER = {
    "fc-mnist": 8, "fc-fmnist": 1.5, "fc-cifar10": 8, "cnn-mnist": 32, "cnn-fmnist": 16,
    "cnn-cifar10": 16,
}  # fmt: skip
# layers, data, exponents of 2 of the rates of random bases and of gradient descent
NETS = {
    "fc-mnist": (FULLY_CONNECTED, "mnist", 0, -3),
    "fc-fmnist": (FULLY_CONNECTED, "fashion_mnist", -1, -2),
    "fc-cifar10": (FULLY_CONNECTED, "cifar10", -2, -7),
    "cnn-mnist": (CONVOLUTIONAL, "mnist", -4, -5),
    "cnn-fmnist": (CONVOLUTIONAL, "fashion_mnist", -3, -4),
    "cnn-cifar10": (CONVOLUTIONAL, "cifar10", -3, -6),
}
# epochs of every rule, and of NES
EPOCHS = {
    "fc-mnist": (200, 20), "fc-fmnist": (700, 20), "fc-cifar10": (200, 30),
    "cnn-mnist": (16, 0.3), "cnn-fmnist": (12, 0.3), "cnn-cifar10": (16, 1.2),
}  # fmt: skip
PUBLISHED = {
    "fc-mnist": (0.225, 0.80, 0.93893, 0.9827),
    "fc-fmnist": (0.45, 0.773, 0.8565, 0.8732),
    "fc-cifar10": (0.178, 0.214, 0.4377, 0.5209),
    "cnn-mnist": (0.51, 0.889, 0.9717, 0.9941),
    "cnn-fmnist": (0.37, 0.778, 0.8556, 0.9195),
    "cnn-cifar10": (0.203, 0.372, 0.5464, 0.814),
}
RULES = ("nes", "fpd", "rbd", "sgd")


def data_of(name):
    """Training and test rows; CIFAR-10 images each of zero mean and unit variance."""
    if name != "cifar10":
        return images(name)
    from sklearn_zorb.datasets import load_cifar10

    bunch = load_cifar10()
    X = bunch.data.astype(np.float32)
    X = (X - X.mean(axis=1, keepdims=True)) / X.std(axis=1, keepdims=True)
    y, cut = bunch.target, min(12000, len(X) * 4 // 5)
    return X[:cut], y[:cut], X[cut:], y[cut:]


def trainer_of(net, rule):
    """The rule of a cell."""
    bases_rate, sgd_rate = (2.0**exponent for exponent in NETS[net][2:])
    if rule == "sgd":
        return Backprop("sgd", learning_rate=sgd_rate, batch_size=BATCH_ROWS)
    if rule == "nes":
        return RandomBases(rule, learning_rate=0.8, n_directions=64, batch_size=BATCH_ROWS)
    faster, normalize = FASTER[net] * BATCH_ROWS / PUBLISHED_BATCH_ROWS, "auto"
    if (net, rule) == ("fc-fmnist", "fpd"):
        faster, normalize = 1, "tensor"
    return RandomBases(
        rule, distribution="sketch", normalize=normalize, batch_size=BATCH_ROWS,
        learning_rate=faster * bases_rate,
    )  # fmt: skip


def cell(net, rule, share):
    """One network by one rule, for a share of its epochs."""
    layers, data, *_ = NETS[net]
    X, y, X_test, y_test = data_of(data)
    side = 32 if data == "cifar10" else 28
    model = NetworkClassifier(
        layers, trainer=trainer_of(net, rule), standardize=False,
        input_shape=None if layers is FULLY_CONNECTED else (side, side, X.shape[1] // side**2),
        dtype="float32", random_state=0,
    )  # fmt: skip
    rng, seen, rate = np.random.default_rng(0), 0, model.trainer.learning_rate
    rows, seconds = share * EPOCHS[net][rule == "nes"] * len(X), 0.0
    # the rate falls at each part, and NES sees less than an epoch
    while seen < rows:
        part = rng.permutation(len(X))[: 50 * BATCH_ROWS]
        model.trainer.learning_rate = rate * max(1 - seen / rows, 0.01)
        model.partial_fit(X[part], y[part], classes=np.arange(10))
        seconds += model.history_[-1]["seconds"]
        seen += len(part)
    return {
        "net": net, "rule": rule, "ours": model.score(X_test, y_test),
        "published": PUBLISHED[net][RULES.index(rule)], "epochs": seen / len(X),
        "seconds": seconds,
    }  # fmt: skip


def cells(chosen, share):
    """The cells, as they end: each in a process of its own, on a core of its own."""
    context, cores = multiprocessing.get_context("spawn"), range(os.cpu_count())
    if hasattr(os, "sched_getaffinity"):
        cores = sorted(os.sched_getaffinity(0))
    free = context.Queue()
    for core in cores:
        free.put(core)
    work = [(*names, share) for names in chosen]
    with context.Pool(len(cores), _stay_on, (free,)) as pool:
        yield from pool.imap_unordered(_cell, work, chunksize=1)


def _stay_on(free):
    """Keep this process, and the threads that JAX will start, to one of the free cores."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {free.get()})
    quiet()


def _cell(arguments):
    return cell(*arguments)


def with_shares(rows):
    """Rows in the order of the table, each with its share of gradient descent."""
    order = [(net, rule) for net in NETS for rule in RULES]
    rows = sorted(rows, key=lambda row: order.index((row["net"], row["rule"])))
    plain = {row["net"]: row["ours"] for row in rows if row["rule"] == "sgd"}
    for row in rows:
        if row["net"] in plain and row["rule"] != "sgd":
            row["share"] = row["ours"] / plain[row["net"]]
            row["published share"] = row["published"] / PUBLISHED[row["net"]][-1]
    return rows


def main(arguments=None):
    parser = size_parser(__doc__, full="the stated epochs, the default")
    parser.add_argument("--only", nargs="+", default=[], help="nets and rules")
    chosen = parser.parse_args(arguments or [])
    nets = [net for net in NETS if net in chosen.only] or list(NETS)
    rules = [rule for rule in RULES if rule in chosen.only] or list(RULES)
    found = saved("random_bases", "net", "rule") if chosen.only else {}
    names = [(net, rule) for net in nets for rule in rules]
    share = 0.05 if chosen.size == "quick" else 1.0
    for done, row in enumerate(cells(names, share), 1):
        note(f"{done} of {len(names)}: {row['net']} {row['rule']}")
        found[row["net"], row["rule"]] = row
        # each cell may have taken long: none is lost
        save("random_bases", with_shares(found.values()), size=chosen.size)
    show(with_shares(found.values()))


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
