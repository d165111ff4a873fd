"""Class labels to targets, and network outputs to labels and probabilities."""

from __future__ import annotations

from abc import ABC, abstractmethod
from copy import copy, deepcopy
from typing import Any, Self

import numpy as np

from ..rows import Targets
from ..rows.remote import mapped, mean, weight_of
from .calibration import PowerCalibration
from .discriminant import LinearDiscriminant

# standard errors by which the log-loss of a discriminant has to be lower
NOISE = 2.0


class ClassDecoder(ABC):
    """Base of decoders of classes and of labels.

    Parameters
    ----------
    link : {"scores", "probabilities", "logits"}, default="scores"
        What outputs of the network are: least-squares scores about 0 and 1, which are
        calibrated; probabilities, as behind a `Softmax` or `Sigmoid`; or logarithms of odds.
    shrink : float, default=0.0
        How far from 0 and 1 the function behind probabilities was kept: a sigmoid stretched
        to [0, 1] reaches a little beyond, and is taken back to its own range.

    Attributes
    ----------
    task : {"binary", "multiclass", "multilabel"}
    classes : ndarray of shape (n_classes,)
    score : float
        Accuracy on left-out rows, or on rows judged before they were learned.
    """

    task: str
    n_outputs: int

    def __init__(self, classes: np.ndarray, link: str, shrink: float) -> None:
        self.classes, self.link, self.shrink = classes, link, shrink
        self.calibration = PowerCalibration()
        self.discriminant: LinearDiscriminant | None = None
        self.score: float | None = None
        self.weight = 0.0

    @abstractmethod
    def codes(self, y: np.ndarray) -> np.ndarray:
        """What y holds as whole numbers: the index of a class, or 0 and 1 for each label."""

    @abstractmethod
    def indicators(self, scores: np.ndarray) -> np.ndarray:
        """Scores with a column for each class."""

    @abstractmethod
    def indices(self, scores: np.ndarray) -> np.ndarray:
        """The `codes` that scores name."""

    @abstractmethod
    def _decision(self, scores: np.ndarray) -> np.ndarray:
        """Scores with their sign."""

    @abstractmethod
    def _from_logits(self, logits: np.ndarray) -> np.ndarray:
        """Probabilities for logarithms of odds."""

    def learn(
        self,
        outputs: Any,
        y: Any,
        sample_weight: Any,
        *,
        final: bool = True,
    ) -> Self:
        """A decoder that has learned from left-out outputs of all rows.

        `final` says that the read-out will not change. Only then is a discriminant of its outputs
        learned, as it would not fit another read-out.
        """
        learned = copy(self)
        if self.link == "scores":
            scores, codes = mapped(self.indicators, outputs), mapped(self.codes, y)
            learned.calibration = PowerCalibration().fit(scores, codes, sample_weight)
            if final and self.task == "multiclass":
                found = self._discriminant_of(outputs, codes, sample_weight, learned.calibration)
                if found is not None:
                    discriminant, learned.calibration = found
                    outputs = discriminant.left_out
                    learned.discriminant = discriminant.without_rows()
        learned.weight = weight_of(y, sample_weight)
        learned.score = self._accuracy(outputs, y, sample_weight)
        return learned

    def update(
        self,
        outputs: np.ndarray,
        y: np.ndarray,
        sample_weight: np.ndarray | None,
        unit: float = 1.0,
    ) -> Self:
        """A decoder that has also seen rows predicted before they were learned."""
        updated = copy(self)
        added = weight_of(y, sample_weight)
        updated.weight = self.weight + added
        score = self._accuracy(outputs, y, sample_weight)
        before = 0.0 if self.score is None else self.weight * self.score
        updated.score = float((before + added * score) / updated.weight)
        if self.link == "scores":
            updated.calibration = deepcopy(self.calibration).partial_fit(
                self.indicators(outputs), self.codes(y), sample_weight
            )
        return updated

    def scores(self, outputs: np.ndarray) -> np.ndarray:
        """The scores that classes are chosen by: outputs, or probabilities of the discriminant."""
        if self.link == "logits":
            return self._from_logits(outputs)
        return outputs if self.discriminant is None else self.discriminant.probabilities(outputs)

    def decision(self, outputs: np.ndarray) -> np.ndarray:
        """Signed scores; logits where outputs are such."""
        if self.link == "logits":
            return outputs[:, 0] if self.task == "binary" else outputs
        return self._decision(self.scores(outputs))

    def linear(self, weights: np.ndarray, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Weights and intercepts of signed scores, from those (d, n_outputs) of outputs."""
        if self.discriminant is not None:
            raise AttributeError(
                "coef_ is not there: a discriminant of the outputs finds a class that no linear "
                "score would name."
            )
        if self.task != "multiclass" and self.link == "scores":
            weights, intercept = 2 * weights, 2 * intercept - 1
        return weights.T, intercept

    def probabilities(self, outputs: np.ndarray) -> np.ndarray:
        """Probabilities of shape (n_samples, n_classes) or (n_samples, n_labels)."""
        scores = self.indicators(self.scores(outputs))
        if self.link == "scores":
            return self.calibration.probabilities(scores)
        scores = scores * (1 - 2 * self.shrink) + self.shrink
        shares = np.clip(scores, np.finfo(float).tiny, 1.0)
        return shares / shares.sum(axis=-1, keepdims=True)

    def _accuracy(self, outputs: Any, y: Any, sample_weight: Any) -> float:
        def right(outputs: np.ndarray, y: np.ndarray) -> np.ndarray:
            same = self.codes(y) == self.indices(outputs)
            return same if same.ndim == 1 else same.all(axis=1)

        return float(mean(right, sample_weight, outputs, y))

    def _discriminant_of(
        self,
        outputs: Any,
        codes: Any,
        sample_weight: Any,
        calibration: PowerCalibration,
    ) -> tuple[LinearDiscriminant, PowerCalibration] | None:
        """A discriminant and its calibration where the outputs hide classes, else None.

        Outputs that name all rows rightly hide nothing. Else it has to predict as many rows
        rightly, with a log-loss that is lower by more than noise. Its log-loss also has to be lower
        than that of the shares of the classes. Where columns tell next to nothing, the left-out
        output of a row is lower for its own class, which lacks that row. A discriminant would learn
        that, predict new rows the wrong way round, and still beat outputs that are worse than the
        shares.
        """

        def wrong(outputs: np.ndarray, codes: np.ndarray) -> np.ndarray:
            return self.indices(outputs) != codes

        missed = mean(wrong, sample_weight, outputs, codes)
        if missed == 0:
            return None
        found = LinearDiscriminant().fit(outputs, codes, sample_weight)
        if mean(wrong, sample_weight, found.left_out, codes) > missed:
            return None
        power = PowerCalibration().fit(found.left_out, codes, sample_weight)
        losses = mapped(power.losses, found.left_out, codes)
        logs = np.log(found.shares)
        for others in (
            mapped(calibration.losses, outputs, codes), mapped(lambda codes: -logs[codes], codes)
        ):  # fmt: skip
            if not _lower_by_more_than_noise(losses, others, sample_weight):
                return None
        return found, power


class Classes(ClassDecoder):
    """One label for each row: one output if there are two classes, else one for each.

    Parameters
    ----------
    classes : ndarray of shape (n_classes,)
        In order.
    one_hot : bool, default=False
        Whether two classes take two outputs too, as a softmax needs.
    link, shrink
        As in `ClassDecoder`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_zorb.decoders import Classes
    >>> decoder = Classes(np.array(["no", "yes"]))
    >>> decoder.targets(np.array(["yes", "no"]))[:].tolist()
    [[1.0], [0.0]]
    >>> decoder.predict(np.array([[0.2], [0.9]])).tolist()
    ['no', 'yes']
    """

    def __init__(
        self,
        classes: np.ndarray,
        *,
        one_hot: bool = False,
        link: str = "scores",
        shrink: float = 0.0,
    ) -> None:
        super().__init__(classes, link, shrink)
        if len(classes) < 2:
            raise ValueError(
                f"y holds one class only, {classes.tolist()[0]!r}; a classifier needs at "
                "least 2 classes."
            )
        self.task = "binary" if len(classes) == 2 else "multiclass"
        self.n_outputs = 1 if self.task == "binary" and not one_hot else len(classes)

    def codes(self, y: np.ndarray) -> np.ndarray:
        """Index of each row's class; ValueError for labels that are none of the classes."""
        places = np.clip(np.searchsorted(self.classes, y), 0, len(self.classes) - 1)
        unknown = np.unique(y[self.classes[places] != y])
        if len(unknown):
            raise ValueError(
                f"y holds {unknown.tolist()}, which are not among classes={self.classes!r}."
            )
        return places

    def targets(self, y: np.ndarray) -> Targets:
        """Targets of 0 and 1, one distinct row for each class."""
        rows = np.array([[0.0], [1.0]]) if self.n_outputs == 1 else np.eye(len(self.classes))
        return Targets(rows, mapped(self.codes, y))

    def check(self, y: np.ndarray) -> None:
        """ValueError where later rows have several labels each."""
        if y.ndim != 1:
            raise ValueError(
                f"y has shape {y.shape}; the first call had 1 column(s): pass y of the same "
                "kind, or call fit to begin anew."
            )

    def indicators(self, scores: np.ndarray) -> np.ndarray:
        """Scores with a column for each class: of two classes, the first gets its own."""
        return np.hstack([1 - scores, scores]) if scores.shape[1] == 1 else scores

    def indices(self, scores: np.ndarray) -> np.ndarray:
        """Index of the class that scores name."""
        decision = self._decision(scores)
        if self.task == "multiclass":
            return decision.argmax(axis=1)
        return (decision > 0).astype(int)

    def predict(self, outputs: np.ndarray) -> np.ndarray:
        """The label of each row."""
        return self.classes[self.indices(self.scores(outputs))]

    def _decision(self, scores: np.ndarray) -> np.ndarray:
        if self.task == "multiclass":
            return scores
        return 2 * scores[:, 0] - 1 if scores.shape[1] == 1 else scores[:, 1] - scores[:, 0]

    def _from_logits(self, logits: np.ndarray) -> np.ndarray:
        if self.task == "binary":
            return logistic(logits)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)


def logistic(logits: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(-z)), without overflow."""
    return 0.5 * (np.tanh(0.5 * logits) + 1)


def _lower_by_more_than_noise(
    losses: np.ndarray, others: np.ndarray, weight: np.ndarray | None
) -> bool:
    """Whether the mean of some losses is below that of others by `NOISE` standard errors."""
    gain = mean(lambda losses, others: others - losses, weight, losses, others)

    def squares(losses: np.ndarray, others: np.ndarray) -> np.ndarray:
        return (others - losses - gain) ** 2

    variance = mean(squares, weight, losses, others)
    return bool(gain > NOISE * np.sqrt(variance / weight_of(losses, weight)))
