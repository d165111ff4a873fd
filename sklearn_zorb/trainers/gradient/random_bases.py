"""Descent within random subspaces that are drawn again from seeds, never stored."""

from numbers import Integral, Real

import numpy as np
from joblib import effective_n_jobs

from ..._compat import Interval, StrOptions
from .bases_rule import KINDS, RandomBasesRule
from .directions import DISTRIBUTIONS, GRANULARITIES
from .subspace import JOINT, Subspace
from .trainer import GradientTrainer
from .workers import DIVISIONS, SharedRun


class RandomBases(GradientTrainer):
    r"""Descent within a random subspace of few dimensions.

    With d random directions, the columns of :math:`\Phi_t`, "rbd" takes the gradient with
    respect to coordinates in their span, at every step in a new one:

    .. math:: c_t = \Phi_t^\top \nabla L(\theta_t), \qquad
              \theta_{t+1} = \theta_t - \eta\, \Phi_t c_t .

    "fpd" keeps the first :math:`\Phi` for ever: all of the training happens in one subspace.
    "nes" needs no derivative. It ranks the losses at :math:`\theta + \sigma \varepsilon_k` and
    moves by :math:`-\frac{\eta}{\sigma d} \sum_k r_k \phi_k`. "gradients" spans the subspace
    by the last d gradients, each of unit length. Directions come from seeds, in chunks, and
    are drawn anew wherever they are needed.

    Parameters
    ----------
    kind : {"rbd", "fpd", "nes", "gradients"}, default="rbd"
    n_directions : int, default=250
        Dimension d of the subspace, of each compartment's where there are several.
    distribution : {"rademacher", "normal", "hadamard", "sketch"}, default="rademacher"
        Of the entries of a direction. Signs take one random bit each, and a thirtieth of the
        time of normal numbers, to the same effect. "hadamard" takes random rows of a Hadamard
        matrix whose columns have random signs: a fast transform gives all coordinates at once,
        in :math:`O(D \log D)` whatever d. With "sketch" (a count sketch) each weight belongs
        to one direction only, with a random sign: all coordinates are sums over parts of the
        gradient, in :math:`O(D)`. Neither is for "nes".
    normalize : {"auto", "dimension", "unit", "tensor", "mean"}, default="auto"
        Directions are divided by the square root of the number D of weights ("dimension", as
        published), by that of the larger of D and d ("auto"), by their own length in each
        compartment ("unit"), each tensor's part by the square root of its own number of weights
        ("tensor": small tensors, such as the read-out's, move as far as large ones), or all by
        the square root of d ("mean": the expected step of "rbd" is the gradient). Not for
        "gradients".
    compartments : {"joint", "layer", "tensor"}, default="joint"
        What has a subspace of its own. "joint" only for "nes" and "gradients".
    redraw_every : int, default=1
        Steps after which the directions are drawn anew; "fpd" never does.
    redraw_fraction : float, default=1.0
        Share of them that is drawn anew then: those along which the steps since the last time
        have gone least. The others stay.
    antithetic : bool, default=False
        Whether "nes" tries each direction both ways, with half as many directions.
    transform : {"auto", "ranks", "range", None}, default="auto"
        What becomes of the coordinates, or of the losses of "nes": their ranks, or their
        place in their range, from -1/2 to 1/2; None leaves them. "auto" ranks for "nes". Not
        for "gradients", as is `top`.
    top : float or None, default=None
        Share of the coordinates that are kept, largest first.
    sigma : float, default=0.01
        Spread of the perturbations of "nes".
    offspring_batch_size : int or None, default=None
        Rows by which each perturbation of "nes" is judged: those of a batch are shuffled and
        dealt out, from the first again where they do not suffice. 32 of batches of 32 d rows
        is as published; None is all rows of the batch for all. Losses of different rows say
        little when ranked: pass ``antithetic=True, transform=None`` with it, for the two of a
        pair have the same rows.
    sgd_every : int or None, default=None
        One step of this many is a plain gradient step.
    diagnostics : bool, default=False
        Whether the history tells the cosine between step and true gradient, which takes a
        gradient for every step of "nes", and what each step took from the loss of its own
        batch (``error_reduction``).
    chunk_size : int, default=25
        Directions in memory at a time.
    n_jobs : int or None, default=None
        Workers of joblib that share the measurement of each batch: processes, or what
        `joblib.parallel_config` says. They hold the weights, draw the same directions and
        exchange coordinates only. None is 1 outside of such a context.
    worker_batches : {"split", "same"}, default="split"
        Whether the rows of a batch are divided over the workers, whose coordinates are added
        up, or all see the same rows and each measures its share of the directions.
    optimizer : str or callable, default="sgd"
        As in `Backprop`.
    learning_rate : float or None, default=None
        None is 0.5, and 0.05 for "nes".
    batch_size : "auto" or int, default="auto"
    max_epochs : int, default=200
    schedule : str, callable or None, default=None
    tol : float or None, default=None
    patience : int, default=50
    tol_loss : float or None, default=None
    early_stopping : bool, default=False
    validation_fraction : float, default=0.1
    straight_through : bool, default=False
    optimizer_params : dict or None, default=None

    Notes
    -----
    With `n_jobs`, each step sends every worker its rows and the coordinates, or losses, of the
    last steps, and gets its own back. Weights are sent at the start, and to a worker that has
    missed too many steps. Either division gives the weights of one worker to rounding, except
    that noise layers and `BatchNorm` see the rows of each worker by themselves if they are
    "split". A step costs some milliseconds more: it pays where the losses of "nes", or one
    gradient, take far longer. "rbd" has to draw its directions twice then; "gradients" has no
    random directions, and thus no coordinates to send.

    References
    ----------
    .. [1] F. Gressmann, Z. Eaton-Rosen and C. Luschi, "Improving Neural Network Training in
       Low Dimensional Random Bases", NeurIPS 2020, arXiv:2011.04720.
    .. [2] C. Li, H. Farkhoor, R. Liu and J. Yosinski, "Measuring the Intrinsic Dimension of
       Objective Landscapes", ICLR 2018, arXiv:1804.08838.
    .. [3] T. Salimans, J. Ho, X. Chen, S. Sidor and I. Sutskever, "Evolution Strategies as a
       Scalable Alternative to Reinforcement Learning", arXiv:1703.03864.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_zorb import NetworkClassifier
    >>> from sklearn_zorb.trainers import RandomBases
    >>> X, y = load_iris(return_X_y=True)
    >>> rule = RandomBases(n_directions=20)
    >>> model = NetworkClassifier("Dense[16] Tanh", trainer=rule, random_state=0).fit(X, y)
    >>> model.score(X, y) > 0.9
    True
    """

    _parameter_constraints = {
        **GradientTrainer._parameter_constraints,
        "kind": [StrOptions(set(KINDS))],
        "n_directions": [Interval(Integral, 1, None, closed="left")],
        "distribution": [StrOptions({*DISTRIBUTIONS, *JOINT})],
        "normalize": [StrOptions({"auto", "dimension", "unit", "tensor", "mean"})],
        "compartments": [StrOptions(set(GRANULARITIES))],
        "redraw_every": [Interval(Integral, 1, None, closed="left")],
        "redraw_fraction": [Interval(Real, 0, 1, closed="right")],
        "antithetic": ["boolean"],
        "transform": [StrOptions({"auto", "ranks", "range"}), None],
        "top": [None, Interval(Real, 0, 1, closed="right")],
        "sigma": [Interval(Real, 0, None, closed="neither")],
        "offspring_batch_size": [None, Interval(Integral, 1, None, closed="left")],
        "sgd_every": [None, Interval(Integral, 1, None, closed="left")],
        "diagnostics": ["boolean"],
        "chunk_size": [Interval(Integral, 1, None, closed="left")],
        "n_jobs": [None, Integral],
        "worker_batches": [StrOptions(set(DIVISIONS))],
    }

    def __init__(
        self,
        kind="rbd",
        *,
        n_directions=250,
        distribution="rademacher",
        normalize="auto",
        compartments="joint",
        redraw_every=1,
        redraw_fraction=1.0,
        antithetic=False,
        transform="auto",
        top=None,
        sigma=0.01,
        offspring_batch_size=None,
        sgd_every=None,
        diagnostics=False,
        chunk_size=25,
        n_jobs=None,
        worker_batches="split",
        optimizer="sgd",
        learning_rate=None,
        batch_size="auto",
        max_epochs=200,
        schedule=None,
        tol=None,
        patience=50,
        tol_loss=None,
        early_stopping=False,
        validation_fraction=0.1,
        straight_through=False,
        optimizer_params=None,
    ):
        self.kind = kind
        self.n_directions = n_directions
        self.distribution = distribution
        self.normalize = normalize
        self.compartments = compartments
        self.redraw_every, self.redraw_fraction = redraw_every, redraw_fraction
        self.antithetic = antithetic
        self.transform = transform
        self.top = top
        self.sigma, self.offspring_batch_size = sigma, offspring_batch_size
        self.sgd_every = sgd_every
        self.diagnostics = diagnostics
        self.chunk_size = chunk_size
        self.n_jobs, self.worker_batches = n_jobs, worker_batches
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.max_epochs = max_epochs
        self.schedule = schedule
        self.tol = tol
        self.patience = patience
        self.tol_loss = tol_loss
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.straight_through = straight_through
        self.optimizer_params = optimizer_params

    @property
    def needs_derivatives(self):
        return self.kind != "nes" or bool(self.sgd_every) or self.diagnostics

    @property
    def _rates(self):
        return (0.05, 0.05) if self.kind == "nes" else (0.5, 0.5)

    def _run(self, *parts):
        n_workers = effective_n_jobs(self.n_jobs)
        obstacle = self._obstacle()
        if n_workers == 1 or (self.n_jobs is None and obstacle):
            return super()._run(*parts)
        if obstacle:
            raise ValueError(f"n_jobs={self.n_jobs}: {obstacle}.")
        return SharedRun(self, *parts, n_workers=n_workers)

    def _obstacle(self):
        """What workers cannot share, and what to pass; nothing where they can."""
        if self.kind == "gradients":
            return (
                "kind='gradients' has no coordinates in random directions, which are all that "
                "workers exchange; pass n_jobs=None"
            )
        for name, off in (("sgd_every", None), ("diagnostics", False)):
            if getattr(self, name):
                return (
                    f"{name}={getattr(self, name)} needs gradients of whole batches, and workers "
                    f"exchange coordinates only; pass {name}={off}, or n_jobs=None"
                )
        if self.distribution in JOINT and self.worker_batches == "same":
            return (
                f"distribution={self.distribution!r} has all coordinates at once, which "
                "worker_batches='same' would divide; pass worker_batches='split'"
            )
        if self.offspring_batch_size and self.worker_batches == "split":
            return (
                f"offspring_batch_size={self.offspring_batch_size} deals out the rows of whole "
                "batches, which worker_batches='split' divides; pass worker_batches='same'"
            )
        return None

    def _check(self):
        """ValueError for settings that do not go together."""
        if self.kind == "nes" and self.compartments != "joint":
            raise ValueError(
                f"compartments={self.compartments!r} needs coordinates of the gradient; "
                "kind='nes' perturbs all weights together: pass compartments='joint'."
            )
        if self.kind == "nes" and self.distribution in JOINT:
            raise ValueError(
                "kind='nes' follows its directions one by one, and "
                f"distribution={self.distribution!r} has products with all of them: pass "
                "distribution='rademacher'."
            )
        if self.kind != "nes" and self.offspring_batch_size:
            raise ValueError(
                f"offspring_batch_size={self.offspring_batch_size} is for kind='nes'; "
                f"kind={self.kind!r} has no offspring: pass offspring_batch_size=None."
            )
        if self.redraw_fraction < 1 and self.kind in ("fpd", "gradients"):
            raise ValueError(
                f"redraw_fraction={self.redraw_fraction} is for directions that are drawn anew; "
                f"kind={self.kind!r} never does: pass kind='rbd' or 'nes', or redraw_fraction=1.0."
            )
        if self.redraw_fraction < 1 and self.distribution in JOINT:
            raise ValueError(
                f"redraw_fraction={self.redraw_fraction} draws directions one by one, and "
                f"distribution={self.distribution!r} all of them at once: pass "
                "distribution='rademacher', or redraw_fraction=1.0."
            )
        if self.antithetic and self.n_directions % 2:
            raise ValueError(f"n_directions={self.n_directions} must be even if antithetic=True.")
        for name, off in self._passed_over():
            value = getattr(self, name)
            if value != off and not (name == "transform" and value is None):
                raise ValueError(
                    f"{name}={value!r} is not for kind={self.kind!r}, which would pass over it: "
                    f"pass {name}={off!r}."
                )

    def _passed_over(self):
        """Options that this kind does not read, and their values where they are not set."""
        if self.kind == "nes":
            return []
        spans = [("compartments", "joint"), ("transform", "auto"), ("top", None)]
        return [("antithetic", False), *(spans if self.kind == "gradients" else [])]

    def _rule(self, objective, moved):
        self._check()
        subspace = Subspace.over(
            moved, self.compartments, self.n_directions // (2 if self.antithetic else 1),
            self.distribution, self.normalize, self.chunk_size,
        )  # fmt: skip
        smallest = min(b - a for a, b in subspace.spans)
        if self.distribution in JOINT and self.n_directions > smallest:
            raise ValueError(
                f"n_directions={self.n_directions} and distribution={self.distribution!r}: one of "
                f"the compartments has {smallest} weights only; pass fewer directions, or "
                "distribution='rademacher'."
            )
        transform = self.transform
        if transform == "auto":
            transform = "ranks" if self.kind == "nes" else None
        return RandomBasesRule(
            self.kind, subspace, 0 if self.kind == "fpd" else self.redraw_every,
            self.redraw_fraction, transform, self.top, self.antithetic, self.sigma,
            self.offspring_batch_size, self.sgd_every, self.diagnostics,
        )  # fmt: skip

    def _memory(self, objective, params, moved, context):
        import jax

        key = jax.random.key(int(context.rng.integers(2**31)))
        memory = {"key": np.asarray(jax.random.key_data(key)), "step": np.int32(0)}
        if self.kind == "gradients":
            size = sum(np.size(leaf) for leaf in jax.tree.leaves(moved))
            memory["past"] = np.zeros((self.n_directions, size), context.dtype)
        return self._rule(objective, moved).with_keys(memory, context.dtype)
