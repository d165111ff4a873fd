"""The default list as one layer, with its sizes as parameters."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Literal

from .._compat import Interval, RealNotInt, StrOptions
from .base import Layer, Traits
from .kernel.functions import KINDS

if TYPE_CHECKING:
    from ..typing import Array, Float, Int, Params, Shape, Stream

BLOCKS = ("linear", "kernel", "smooth", "forest", "extra", "boosting", "shallow")
MOST_MULTIPLE = 4
COUNT = Interval(Integral, 1, None, closed="left")
PLACE = (
    "Auto stands for the whole list of a ZORBClassifier or a ZORBRegressor: pass layers=[Auto()] "
    "without other layers, to one of these."
)


class Auto(Layer):
    """Stand for the default list of layers, with its sizes as parameters.

    ``layers=[Auto()]`` and ``layers="auto"`` are the same model. The list is built in `fit`, from
    the rows, columns and types of the data, as `auto_layers` says; what is given here takes the
    place of what it would choose. So a search may try sizes as it tries other parameters, under
    names such as ``auto_1__landmarks``.

    Parameters
    ----------
    effort : {"fast", "auto", "best"}, default="auto"
        What chooses everything that is not given.
    blocks : str, default="auto"
        Which blocks stand side by side: names joined by "+", of

        - "linear", a ridge of columns and of ramps between their quantiles;
        - "kernel", a ridge of kernel features;
        - "smooth", one of Gaussian features at few landmarks;
        - "forest" and "extra", random and extremely randomised trees;
        - "boosting" and "shallow", gradient boosting, of folds, and such of small trees.

        "auto" chooses by rows, columns and outputs.
    landmarks : int, float or None, default=None
        Most landmarks of "kernel"; a float, up to 4, is a multiple of what `effort` chooses.
    kernel : {"auto", "laplace", "laplace_l1", "gaussian"}, default="auto"
        Kind of "kernel"; "auto" takes the one of least leave-one-out error.
    trees : int or None, default=None
        Trees of each forest.
    max_features : "auto" or float, default="auto"
        Share of the columns tried at a node of a forest; "auto" as in `Trees`.
    min_samples_leaf : int or None, default=None
        Least distinct rows in a leaf of a forest; None is 1.
    rounds : int or None, default=None
        Rounds of boosting.
    learning_rate : float or None, default=None
        What each round of boosting adds is multiplied by this.
    max_leaf_nodes : int or None, default=None
        Leaves of a tree of boosting.
    shrinkage : float, default=5.0
        For how many rows equal weights of the blocks count, as in `Stack`.

    Notes
    -----
    A named block stands in the list whatever the number of rows, but where the data cannot have
    it: sparse inputs have no boosting, and no kernels beyond 1000 columns.

    Of images, which an estimator's `input_shape` tells of, the list is one of filters and a kernel
    as long as `blocks` is "auto". Of the sizes, `effort` and `landmarks` count there.

    Examples
    --------
    >>> from sklearn.datasets import load_diabetes
    >>> from sklearn_zorb import ZORBRegressor, auto_layers, format_layers
    >>> from sklearn_zorb.layers import Auto
    >>> auto = Auto(blocks="linear+forest", trees=20)
    >>> format_layers([auto])
    'Auto[blocks="linear+forest", trees=20]'
    >>> for block in format_layers(auto_layers((150, 4), effort=auto)).split(" | ")[1:]:
    ...     print(block)
    PiecewiseLinear) Standardize[clip=3.0]
    Trees[20, max_samples=5000])
    >>> X, y = load_diabetes(return_X_y=True)
    >>> round(ZORBRegressor([auto], random_state=0).fit(X, y).loo_score_, 2)
    0.5
    """

    traits = Traits(learns=True, streams=False, differentiable=False, jax=False)

    _parameter_constraints = {
        "effort": [StrOptions({"fast", "auto", "best"})],
        "blocks": [str],
        "landmarks": [None, COUNT, Interval(RealNotInt, 0, MOST_MULTIPLE, closed="right")],
        "kernel": [StrOptions({"auto", *KINDS})],
        "trees": [None, COUNT],
        "max_features": [StrOptions({"auto"}), Interval(Real, 0, 1, closed="right")],
        "min_samples_leaf": [None, COUNT],
        "rounds": [None, COUNT],
        "learning_rate": [None, Interval(Real, 0, None, closed="neither")],
        "max_leaf_nodes": [None, Interval(Integral, 2, None, closed="left")],
        "shrinkage": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        effort: str = "auto",
        *,
        blocks: str = "auto",
        landmarks: Int | Float | None = None,
        kernel: Literal["auto", "laplace", "laplace_l1", "gaussian"] = "auto",
        trees: Int | None = None,
        max_features: str | Float = "auto",
        min_samples_leaf: Int | None = None,
        rounds: Int | None = None,
        learning_rate: Float | None = None,
        max_leaf_nodes: Int | None = None,
        shrinkage: Float = 5.0,
    ) -> None:
        self.effort = effort
        self.blocks = blocks
        self.landmarks = landmarks
        self.kernel = kernel
        self.trees = trees
        self.max_features = max_features
        self.min_samples_leaf = min_samples_leaf
        self.rounds = rounds
        self.learning_rate = learning_rate
        self.max_leaf_nodes = max_leaf_nodes
        self.shrinkage = shrinkage

    def block_names(self) -> list[str] | None:
        """Name the blocks that are asked for, None where they are to be chosen.

        Raises
        ------
        ValueError
            If `blocks` holds something else than names of blocks, or one twice.
        """
        if self.blocks == "auto":
            return None
        names = [name.strip() for name in self.blocks.split("+")]
        if not set(names) <= set(BLOCKS) or len(set(names)) < len(names):
            raise ValueError(
                f"blocks={self.blocks!r}; pass 'auto', or names out of {', '.join(BLOCKS)}, each "
                "once, joined by '+': blocks='linear+forest'."
            )
        return names

    def output_shape(self, input_shape: Shape) -> Shape:
        raise ValueError(PLACE)

    def forward(self, params: Params, inputs: Array, *, rng: Stream | None = None) -> Array:
        raise ValueError(PLACE)
