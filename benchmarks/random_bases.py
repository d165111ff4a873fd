"""Random bases beside plain gradient descent: six networks, the published figures beside ours.

Every cell trains for the same time, ``--quick`` for half a minute and ``--full`` for ten
(``--minutes`` says otherwise), while its rate falls linearly to a hundredth; "share" is the
accuracy over that of gradient descent. Batches have 128 rows where the published ones have 32,
so that rates of random bases are four times the published ones, while gradient descent, which
diverges at some of these, keeps its own; directions are orthogonal.
Those of the fully connected network on Fashion-MNIST are count sketches, with a rate of RBD
three times as large again (of 3, 8, 16 and 32 times, the best on 10 000 held-out training
rows); its FPD gives each tensor's part of a direction a length of its own, as the published
code can, at the published rate. Elsewhere directions are rows of a Hadamard matrix of random
signs, with rates eight times as large (of 2, 8 and 25 times, the best on 10 000 held-out
training rows of MNIST). NES tries 64 directions at a rate of .8, in place of 250 at .05: with
the convolutional network .75 on those rows after 50 seconds, where the published ones leave it
at chance. There is no augmentation, and CIFAR-10 means 12 000 training images.
``--only fc-mnist rbd`` runs one cell and leaves the others in the file as they are.

Figures are those of Table 1 of F. Gressmann, Z. Eaton-Rosen and C. Luschi, "Improving Neural
Network Training in Low Dimensional Random Bases", arXiv:2011.04720, as its code gives them.
"""

import numpy as np

from sklearn_zorb import NetworkClassifier
from sklearn_zorb.trainers import Backprop, RandomBases

from .common import images, note, save, saved, show, size_parser

FULLY_CONNECTED = "Dense[128] ReLU"
CONVOLUTIONAL = (
    "Conv2D[32, 3] ReLU MaxPool2D[2] Conv2D[64, 3] ReLU MaxPool2D[2] Conv2D[64, 3] ReLU Flatten "
    "Dense[64] ReLU"
)
BATCH_ROWS, PUBLISHED_BATCH_ROWS = 128, 32
# rates beyond the published ones, which orthogonal directions bear
FASTER = {"hadamard": 8, "sketch": 3}
# networks whose directions are count sketches; of others, a Hadamard matrix
SKETCHED = ("fc-fmnist",)
# layers, data, exponents of 2 of the rates of random bases and of gradient descent
NETS = {
    "fc-mnist": (FULLY_CONNECTED, "mnist", 0, -3),
    "fc-fmnist": (FULLY_CONNECTED, "fashion_mnist", -1, -2),
    "fc-cifar10": (FULLY_CONNECTED, "cifar10", -2, -7),
    "cnn-mnist": (CONVOLUTIONAL, "mnist", -4, -5),
    "cnn-fmnist": (CONVOLUTIONAL, "fashion_mnist", -3, -4),
    "cnn-cifar10": (CONVOLUTIONAL, "cifar10", -3, -6),
}
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
    distribution = "sketch" if net in SKETCHED else "hadamard"
    faster, normalize = FASTER[distribution] * BATCH_ROWS / PUBLISHED_BATCH_ROWS, "dimension"
    if net in SKETCHED and rule == "fpd":
        faster, normalize = 1, "tensor"
    return RandomBases(
        rule, distribution=distribution, normalize=normalize, batch_size=BATCH_ROWS,
        learning_rate=faster * bases_rate,
    )  # fmt: skip


def cell(net, rule, seconds):
    """One network by one rule, epoch after epoch until its time is over."""
    layers, data, *_ = NETS[net]
    X, y, X_test, y_test = data_of(data)
    side = 32 if data == "cifar10" else 28
    model = NetworkClassifier(
        layers, trainer=trainer_of(net, rule), standardize=False,
        input_shape=None if layers is FULLY_CONNECTED else (side, side, X.shape[1] // side**2),
        dtype="float32", random_state=0,
    )  # fmt: skip
    # parts of an epoch, so that a slow rule ends in time too
    rng, spent, seen, rate = np.random.default_rng(0), 0.0, 0, model.trainer.learning_rate
    while spent < seconds:
        part = rng.permutation(len(X))[: 50 * BATCH_ROWS]
        model.trainer.learning_rate = rate * max(1 - spent / seconds, 0.01)
        model.partial_fit(X[part], y[part], classes=np.arange(10))
        spent += model.history_[-1]["seconds"]
        seen += len(part)
    return {
        "net": net, "rule": rule, "ours": model.score(X_test, y_test),
        "published": PUBLISHED[net][RULES.index(rule)], "epochs": seen / len(X),
        "seconds": spent,
    }  # fmt: skip


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
    parser = size_parser(__doc__, full="ten minutes a cell, the default")
    parser.add_argument("--minutes", type=float, default=None)
    parser.add_argument("--only", nargs="+", default=[], help="nets and rules")
    chosen = parser.parse_args(arguments or [])
    minutes = chosen.minutes or (0.5 if chosen.size == "quick" else 10.0)
    nets = [net for net in NETS if net in chosen.only] or list(NETS)
    rules = [rule for rule in RULES if rule in chosen.only] or list(RULES)
    found = saved("random_bases", "net", "rule") if chosen.only else {}
    times = {} if found else {"minutes": minutes}
    for net in nets:
        for rule in rules:
            note(f"{net} {rule}")
            found[net, rule] = cell(net, rule, 60 * minutes)
            # each cell may have taken long: none is lost
            save("random_bases", with_shares(found.values()), size=chosen.size, **times)
    show(with_shares(found.values()))


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
