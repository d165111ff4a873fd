"""Seven machines of target propagation on MNIST, beside their published accuracies.

The machines are those of Zenkai's Table 1, with Adam at 0.001 and batches of 128, as
published. Epochs and whatever else is not published were chosen on 10 000 training rows held
out. Trees hand on out-of-bag outputs, so that they may be extremely randomised and grown to the
end, in place of trees of depth 11 and 10; the neural decision machine gets the targets of its
convolution from the trees' own inverse, which came out better than the best of stochastic
passes. ``--quick`` trains on 10 000 rows, ``--only`` a part of the machines.
"""

from sklearn_zorb import NetworkClassifier
from sklearn_zorb.layers import BatchNorm, Conv2D, Dense, Dropout, Flatten, ReLU, Trees
from sklearn_zorb.trainers import (
    DirectFeedbackAlignment,
    FeedbackAlignment,
    TargetPropagation,
)

from .common import images, note, save, show, size_parser, timed

SETTINGS = {"batch_size": 128, "learning_rate": 1e-3, "tol": None}
NORMED = "Dense[128] BatchNorm ReLU"
TREES = [Trees(10, kind="extra", units=32, max_features=0.1, n_keep=9), BatchNorm()]
CONVOLUTION = [
    Conv2D(32, 4, stride=2), BatchNorm(), ReLU(), Flatten(), Dense(128), BatchNorm(), Dropout(0.2),
    Trees(20, kind="extra", units=10, max_features=0.2), BatchNorm(),
]  # fmt: skip
# layers, rule, its settings, epochs, published accuracy
MACHINES = {
    "baseline": ("Dense[128] ReLU BatchNorm Dense[32] ReLU BatchNorm", TargetPropagation,
                 {"targets": "gradient"}, 10, 0.969),
    "decision-linear": (TREES, TargetPropagation, {"n_target_steps": 40}, 12, 0.967),
    "least squares": (f"{NORMED} {NORMED} {NORMED}", TargetPropagation,
                      {"targets": "least_squares"}, 10, 0.941),
    "linear target propagation": (f"{NORMED} {NORMED} {NORMED}", TargetPropagation,
                                  {"targets": "difference", "reverse_units": 128,
                                   "alternate_every": "epoch"}, 10, 0.929),
    "feedback alignment": ("Dense[32] ReLU", FeedbackAlignment, {}, 30, 0.958),
    "direct feedback alignment": ("Dense[32] BatchNorm ReLU Dense[32] BatchNorm ReLU",
                                  DirectFeedbackAlignment, {"feedback": "random_readout"},
                                  15, 0.940),
    "neural decision": (CONVOLUTION, TargetPropagation,
                        {"targets": {"trees_1": "difference"}, "n_target_steps": 40}, 6, 0.939),
}  # fmt: skip


def machine(name, n_rows, epochs):
    """The estimator of one machine, unfitted."""
    layers, rule, settings, _, _ = MACHINES[name]
    settings = dict(settings)
    if settings.get("alternate_every") == "epoch":
        settings["alternate_every"] = -(-n_rows // SETTINGS["batch_size"])
    trainer = rule(max_epochs=epochs, **settings, **SETTINGS)
    shape = (28, 28, 1) if layers is CONVOLUTION else None
    return NetworkClassifier(
        layers, trainer=trainer, standardize=False, input_shape=shape, random_state=0
    )


def main(arguments=None):
    parser = size_parser(__doc__, full="all rows, the default")
    parser.add_argument("--only", nargs="+", choices=list(MACHINES), default=list(MACHINES))
    chosen = parser.parse_args(arguments or [])
    X, y, X_test, y_test = images("mnist")
    if chosen.size == "quick":
        X, y = X[:10000], y[:10000]
    rows = []
    for name in chosen.only:
        *_, epochs, published = MACHINES[name]
        note(name)
        model = machine(name, len(X), epochs)
        _, seconds = timed(lambda m=model: m.fit(X, y))
        rows.append({
            "machine": name, "published": published, "ours": model.score(X_test, y_test),
            "epochs": epochs, "fit s": seconds,
        })  # fmt: skip
        show(rows[-1:])
    if chosen.only == list(MACHINES):
        save("zenkai", rows, training_rows=len(X), size=chosen.size)
    show(rows)


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
