"""Sets of labels to targets, and network outputs to labels and probabilities."""

from __future__ import annotations

import numpy as np

from ..rows import Targets
from ..rows.remote import mapped, store_of
from .classes import ClassDecoder, logistic


class Labels(ClassDecoder):
    """Several labels, each present or not, for each row: one output a label.

    Parameters
    ----------
    n_labels : int
    link, shrink
        As in `ClassDecoder`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.decoders import Labels
    >>> Labels(2).predict(np.array([[0.2, 0.9], [0.6, 0.7]])).tolist()
    [[0, 1], [1, 1]]
    """

    task = "multilabel"

    def __init__(self, n_labels: int, *, link: str = "scores", shrink: float = 0.0) -> None:
        super().__init__(np.arange(n_labels), link, shrink)
        self.n_outputs = n_labels

    def codes(self, y: np.ndarray) -> np.ndarray:
        """The matrix of labels, 0 or 1."""
        return np.asarray(y).astype(int)

    def targets(self, y: np.ndarray) -> Targets:
        """The matrix of labels, each distinct set of them once."""
        if store_of(y) is not None:
            return Targets(mapped(lambda y: self.codes(y).astype(np.float64), y))
        distinct, codes = np.unique(np.asarray(y), axis=0, return_inverse=True)
        return Targets(distinct.astype(np.float64), codes.ravel())

    def check(self, y: np.ndarray) -> None:
        """ValueError where later rows have another number of labels, or classes."""
        if y.ndim != 2:
            raise ValueError(
                f"y has shape {y.shape}; the first call had {self.n_outputs} column(s): pass y of "
                "the same kind, or call fit to begin anew."
            )
        if y.shape[1] != self.n_outputs:
            raise ValueError(f"y has {y.shape[1]} labels; the first call had {self.n_outputs}.")

    def indicators(self, scores: np.ndarray) -> np.ndarray:
        """Scores of shape (n_samples, n_labels, 2): of absence and presence."""
        return np.stack([1 - scores, scores], axis=-1)

    def indices(self, scores: np.ndarray) -> np.ndarray:
        """The matrix of labels that scores name."""
        return (self._decision(scores) > 0).astype(int)

    def predict(self, outputs: np.ndarray) -> np.ndarray:
        """The matrix of labels."""
        return self.indices(self.scores(outputs))

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """Probability of each label, of shape (n_samples, n_labels)."""
        return super().probabilities(outputs)[..., 1]

    def _decision(self, scores: np.ndarray) -> np.ndarray:
        return 2 * scores - 1

    def _from_logits(self, logits: np.ndarray) -> np.ndarray:
        return logistic(logits)
