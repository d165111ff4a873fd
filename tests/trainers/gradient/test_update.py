"""What every step takes from the loss of its batch, against the losses of full batches."""

import numpy as np
import pytest
from sklearn.datasets import load_iris

from sklearn_zorb import NetworkClassifier, trainers

RULES = [
    "Backprop", "ForwardGradient", "FeedbackAlignment", "DirectFeedbackAlignment", "RandomBases",
    "Evolution", "TargetPropagation",
]  # fmt: skip


@pytest.mark.quick(1)
@pytest.mark.parametrize("rule", RULES)
def test_reductions_are_the_differences_of_losses(rule):
    if rule == "Evolution":
        pytest.importorskip("evosax")
    X, y = load_iris(return_X_y=True)
    trainer = getattr(trainers, rule)(diagnostics=True, max_epochs=4)
    model = NetworkClassifier("Dense[8] Tanh", trainer=trainer, random_state=0).fit(X, y)
    losses = [entry["loss"] for entry in model.history_]
    taken = [entry["error_reduction"] for entry in model.history_]
    np.testing.assert_allclose(taken[:-1], -np.diff(losses), atol=1e-10)
    if rule == "Backprop":
        trainer = trainer.set_params(diagnostics=False)
        plain = NetworkClassifier("Dense[8] Tanh", trainer=trainer, random_state=0).fit(X, y)
        assert "error_reduction" not in plain.history_[0]
        np.testing.assert_allclose([entry["loss"] for entry in plain.history_], losses, rtol=1e-9)
