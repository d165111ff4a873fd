"""A rule of one's own: random hidden layers, and a ridge regression for the read-out."""

from sklearn_zorb.trainers import Trainer, TrainingResult


class RandomFeatures(Trainer):
    """Leave hidden layers as they are drawn, and solve the read-out."""

    def _fit(self, network, params, inputs, targets, context, *, on_step=None):
        rows = inputs
        for layer, drawn in zip(network.hidden, params[: network.readout], strict=True):
            rows = rows.then(layer, drawn)
        readout, context = network.layers[network.readout], context.replace(relaxation=1.0)
        solved = readout.solve(params[network.readout], rows, targets, context)
        return TrainingResult([*params[: network.readout], solved.params], [solved.report])
