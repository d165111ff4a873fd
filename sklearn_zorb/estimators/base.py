"""What all estimators of layer lists share: validation, assembly, training, output."""

import functools
import math
from numbers import Integral, Real

import numpy as np
import scipy.sparse as sp
from sklearn.base import MultiOutputMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from .._compat import (
    CallbackSupportMixin,
    Interval,
    Options,
    StrOptions,
    WithParameters,
    check_sample_weight,
    fit_context,
)
from ..auto import auto_layers, dense_layers, is_auto
from ..generators import LazyGenerator
from ..layers import (
    Context,
    Dense,
    Flatten,
    Reshape,
    Standardize,
    sequence,
)
from ..layers.distinct import count_distinct, merge_copies
from ..layers.honest import draws_rows
from ..layers.names import check_names, resolve_layers
from ..linalg import LeastSquares, choose_backend, get_backend, is_jax, to_numpy
from ..memory import Memory
from ..network import Network, fill_widths, split_readout
from ..trainers import ZORB
from ..trainers.closed_form.zorb import MAX_SAMPLES
from .device import at_hand, upload, with_weights_there
from .layer_list import LayerListMixin
from .padding import padded, repeat_first
from .partial import PartialFitMixin
from .progress import Progress
from .summary import summary_table
from .validation import canonical, check_size, checked, numbers
from .weights import copied, drop_weightless, per_row, weighs_classes

READOUT = "readout"
# what `dtype` takes beside the names: float is NumPy's float64
PRECISIONS = [
    Options(type, {float, np.float64, np.float32}),
    Options(np.dtype, {np.dtype(np.float64), np.dtype(np.float32)}),
]


def _entropy(random_state):
    """Numbers that all random streams of a fit grow from."""
    # a seed is known again: NumPy's legacy generator takes longer to seed than a layer to solve
    draw = _draw_entropy if isinstance(random_state, Integral) else _draw_entropy.__wrapped__
    return draw(random_state)


@functools.lru_cache(maxsize=1000)
def _draw_entropy(random_state):
    # of this type it is taken as it is, and each stream is there in half the time
    return check_random_state(random_state).randint(2**31 - 1, size=4).astype(np.uint32)


class BaseLayered(LayerListMixin, CallbackSupportMixin, MultiOutputMixin, WithParameters):
    """Base of every estimator that trains a list of layers."""

    _parameter_constraints: dict = {
        "layers": "no_validation",  # resolve_layers says more
        "input_shape": [None, tuple, list],
        "standardize": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }
    # where an estimator has no such parameter
    backend = "numpy"
    memory_limit = None
    readout = "last"

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None):
        """Train every layer.

        Parameters
        ----------
        X : {array-like, sparse matrix} of shape (n_samples, n_features)
            Training rows. CSR and CSC matrices are never made dense as a whole.
        y : array-like of shape (n_samples,) or (n_samples, n_outputs)
            Targets.
        sample_weight : array-like of shape (n_samples,), default=None
            A weight of 3 is the same as three copies of the row; rows of weight zero are
            dropped first.

        Returns
        -------
        self : object
            Fitted estimator.

        Raises
        ------
        ValueError
            If the data hold NaN or infinity, shapes disagree, no weight is positive, or a
            layer does not fit the shape that reaches it.
        TypeError
            If `layers` holds something that is not a layer.
        """
        vars(self).pop("_sums", None)  # what partial_fit has gathered
        X, y, weights = self._prepare(X, y, sample_weight)
        weights = per_row(weights, weighs_classes(self))
        # beside a far larger one, a weight may be nothing
        X, y, weights = drop_weightless(X, y, weights)
        hidden, readout, tail = self._resolve(X, y)
        memory, dtype = Memory(self.memory_limit), self._choose_dtype(X.shape[0])
        check_size(X, "X", dtype)
        if draws_rows([layer for _, layer in [*hidden, readout]]):
            X, y, weights = merge_copies(X, y, weights, memory)
        encoder = self._encode(y, weights, tail)
        self._fit_dtype = dtype
        X = memory.convert(X, dtype)
        self._backend = get_backend(self._backend_name(X, hidden))
        with self._backend.scope():
            rng = LazyGenerator(_entropy(self.random_state))
            context = self._context(encoder, weights, rng, dtype, memory)
            self._train((X, y), hidden, readout, tail, encoder, context)
        return self

    def _prepare(self, X, y, sample_weight, reset=True):
        """Checked arrays, and the weights of their rows, all positive, or None."""
        X, y = self._validate(X, y, reset)
        if sample_weight is not None:
            sample_weight = check_sample_weight(
                sample_weight, X, dtype=np.float64, ensure_non_negative=True
            )
            if weighs_classes(self):
                X, y, sample_weight = copied(X, y, sample_weight)
        return drop_weightless(X, y, self._total_weight(y, sample_weight))

    def _validate(self, X, y, reset=True):
        """Checked arrays; y as the subclass wants it."""
        y = y.toarray() if sp.issparse(y) else y  # one column an output: narrow
        check = checked if reset else validate_data
        X, y = check(
            self, X, y, accept_sparse=("csr", "csc"), dtype=[np.float64, np.float32],
            multi_output=True, y_numeric=self._numeric_targets, reset=reset,
        )  # fmt: skip
        if self._numeric_targets:
            y = numbers(y)
            check_size(y, "y", np.float64)
        return canonical(X), y

    def _resolve(self, X, y=None):
        """Pairs (name, layer) of the hidden layers, the read-out and what follows it."""
        layers = self.layers
        if is_auto(layers):
            layers = self._auto_layers(X, y)
        elif not isinstance(layers, str):
            check_names(self)
        pairs = resolve_layers(layers)
        for _, layer in pairs:
            layer._validate_params()
        hidden, readout, tail = split_readout(pairs)
        return hidden, readout or (READOUT, Dense()), tail

    def _auto_layers(self, X, y):
        """What layers="auto" stands for: layers with derivatives, which any rule can train."""
        layers = dense_layers(count_distinct(X, Memory(self.memory_limit)), X.shape[1])
        return layers if self.input_shape is None else [Flatten(), *layers]

    def _context(self, encoder, weights, rng, dtype, memory):
        return Context(
            sample_weight=weights,
            rng=rng,
            y=encoder.y,
            y_targets=encoder.targets,
            task=encoder.task,
            backend=self._backend.name,
            dtype=dtype,
            memory=memory,
        )

    def _make_trainer(self):
        """The training rule."""
        raise NotImplementedError

    def _choose_dtype(self, n_samples):
        return np.dtype(self.dtype)

    def _backend_name(self, X, hidden):
        units = [getattr(layer, "units", None) or 0 for _, layer in hidden]
        return choose_backend(self.backend, X.shape[0] * sum(n**2 for n in [X.shape[1], *units]))

    def _train(self, rows, hidden, readout, tail, encoder, context):
        """Build the network, draw its initial params, train, keep the result as NumPy."""
        width = encoder.targets.shape[1]
        fill_widths(hidden, readout, width)
        inputs, fed = self._feed(rows[0], [*hidden, readout], context)
        front = self._front(inputs)
        network = Network.build(front, hidden, readout, tail, inputs.shape[1:], self.readout)
        streams = context.spawn(3)
        data = (inputs, fed.y, fed.sample_weight)
        params = self._initial_params(network, streams[0], data, context)
        if self._backend.accelerated and is_jax(inputs):
            params = with_weights_there(network.layers, params, self._backend)
        trainer = self._make_trainer()
        self._network, self.n_outputs_ = network, width
        self._encoder = encoder.light()
        with Progress(self, trainer.n_steps(network), rows) as progress:
            result = self._run(
                trainer, network, params, inputs, fed.y_targets,
                fed.replace(rng=streams[1]), on_step=progress,
            )  # fmt: skip
        self.layers_ = list(zip(network.names, network.layers, strict=True))
        self.params_ = [_as_numpy(own) for own in result.params]
        self.history_ = result.history
        self._finish_fit(network, trainer, result, encoder, context)

    def _fitted_so_far(self, params):
        """Attributes that make a copy of this estimator predict with `params`."""
        return {"params_": [_as_numpy(own) for own in params]}

    def _initial_params(self, network, rng, data, context):
        return sequence.cast(network.init(rng, data), context.dtype)

    def _run(self, trainer, *parts, on_step):
        return trainer.fit(*parts, on_step=on_step)

    def _finish_fit(self, network, trainer, result, encoder, context):
        """Learn from the left-out outputs, where the rule has them."""
        loo = network.finish(self.params_, result.loo_outputs[: len(encoder.targets)])
        self._set_loo(loo, encoder, context)

    def _feed(self, X, pairs, context):
        """The rows as arrays of the backend, and the context that goes with them."""
        layers = [layer for _, layer in pairs]
        feeder = self._feeder(layers)
        compiled = self._backend.name == "jax" and all(layer.traceable for layer in layers)
        if compiled and not sp.issparse(X):
            return upload(X, feeder), padded(context)
        return feeder.asarray(X), context

    def _feeder(self, layers):
        """The backend of the rows that come in.

        What a kernel draws and where trees split depends on rows to the last bit: to such a
        layer they come as NumPy makes them, unless a layer before it learns.
        """
        first = next(layer for layer in layers if layer.solvable)
        return self._backend if first.traceable else get_backend("numpy")

    def _front(self, inputs):
        """What prepares the rows: scaling, then the shape of an image."""
        front = []
        if self.standardize:
            front.append(("standardize", Standardize()))
        if self.input_shape is not None:
            shape = tuple(self.input_shape)
            expected = math.prod(shape) if all(isinstance(s, Integral) for s in shape) else -1
            if expected != inputs.shape[1]:
                raise ValueError(
                    f"input_shape={self.input_shape!r} does not fit X, which has "
                    f"{inputs.shape[1]} columns; pass a shape whose product is that number."
                )
            front.append(("reshape", Reshape(shape)))
        return front

    def _outputs(self, X):
        """Network outputs of shape (n_samples, n_outputs)."""
        check_is_fitted(self, "params_")
        X = validate_data(
            self, X, accept_sparse=("csr", "csc"), dtype=[np.float64, np.float32], reset=False
        )
        return self._outputs_of(canonical(X))

    def _outputs_of(self, X):
        """Network outputs of validated rows, read in chunks."""
        network, dtype = self._network, self._fit_dtype
        check_size(X, "X", dtype)
        if hasattr(X, "tocsr"):
            X = X.tocsr()
        widest, feeder = 2 * network.working_width(), self._feeder(network.layers)
        outputs, most = np.empty((X.shape[0], self.n_outputs_)), self._backend.chunk_bytes
        with self._backend.scope():
            params = at_hand(network.layers, self.params_, self._backend)
            for part in Memory(self.memory_limit).chunks(X.shape[0], 8 * widest, most):
                rows = X[part].astype(dtype, copy=False)
                n_rows = rows.shape[0]
                if feeder.name == "jax" and isinstance(rows, np.ndarray):
                    rows = rows[repeat_first(n_rows)]
                rows = feeder.asarray(rows)
                out = network.finish(params, network.forward(params, rows))
                outputs[part] = to_numpy(out)[:n_rows]
        return outputs

    def summary(self, print_fn=print):
        """Print a table of the layers: name, type, output shape, number of parameters.

        Parameters
        ----------
        print_fn : callable or None, default=print
            Called with the text; None only returns it.

        Returns
        -------
        text : str
        """
        check_is_fitted(self, "params_")
        text = summary_table(self)
        if print_fn is not None:
            print_fn(text)
        return text

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class BaseZORB(PartialFitMixin, BaseLayered):
    """Base of `ZORBClassifier` and `ZORBRegressor`."""

    _parameter_constraints = {
        **BaseLayered._parameter_constraints,
        "alpha": [StrOptions({"loo"}), Interval(Real, 0, None, closed="left")],
        "relaxation": [Interval(Real, 0, 1, closed="both")],
        "readout": [StrOptions({"all", "last"})],
        "n_sweeps": [Interval(Integral, 1, None, closed="left")],
        "max_samples": MAX_SAMPLES,
        "rcond": [None, Interval(Real, 0, 1, closed="left")],
        "backward_rcond": [None, Interval(Real, 0, 1, closed="left")],
        "dtype": [StrOptions({"float64", "float32"}), *PRECISIONS],
        "backend": [StrOptions({"auto", "numpy", "jax"})],
        "memory_limit": [None, str, Interval(Real, 0, None, closed="neither")],
        "n_jobs": [None, Integral],
    }

    def _make_trainer(self):
        return ZORB(self.n_sweeps, max_samples=self.max_samples)

    def _auto_layers(self, X, y):
        if self._first_classes is not None:
            return super()._auto_layers(X, y)
        layers = auto_layers(X, n_outputs=self._count_outputs(y))
        return layers if self.input_shape is None else [Flatten(), *layers]

    def _solver(self):
        return LeastSquares(self.alpha, self.rcond)

    def _context(self, *parts):
        return (
            super()
            ._context(*parts)
            .replace(
                solver=self._solver(),
                relaxation=float(self.relaxation),
                backward_rcond=self.backward_rcond,
                n_jobs=self.n_jobs,
            )
        )


def _as_numpy(params):
    """The same nested dict with NumPy arrays; fitted models stay what they are."""
    if isinstance(params, dict):
        return {name: _as_numpy(value) for name, value in params.items()}
    if not hasattr(params, "dtype"):
        return params
    return np.array(to_numpy(params))
