"""Closed-form networks of images, each one line of text: accuracy, seconds and memory.

    python -m benchmarks.images                      # "fast" and "auto" on all sets
    python -m benchmarks.images --only kmnist --lists best
    python -m benchmarks.images --only cifar10 --held 2000 --rows 5000 --lists "Conv2D[...] ..."

A list is a name of an effort, or layers as text. What is chosen is chosen on training images held
out by ``--held``, which leaves the results as they are. Test images are read once, at the end.
Of KMNIST its 10 000 test images are at hand, split into 8000 and 2000, stratified; CIFAR-10 means
12 000 training and 3000 test images. Each fit has a process of its own, whose peak of memory is
that of the fit, images included.

What was tried for photographs, as accuracy on 3000 held-out images of CIFAR-10 after training on
5000, with a standard error of .008:

- Regions that overlap bring .719 in place of .714, and filters of what others make .732.
- A third block brings .725 in place of .724, with other filters than those above.
- Windows of 4, 6 and 8 pixels side by side bring .715, averaged .709; of 8 alone .711.
- A kernel for each region brings .707, for neighbouring regions .716, a Laplace kernel .699.
- Scales of columns learned by gradients bring .710, colours at low resolution .708.

Images moved by a pixel bring .7645 in place of .7625 on 2000 held-out images after 10 000, in five
times the time. On 10 000 of MNIST they bring .9918 in place of .9912 and on 10 000 of Fashion-MNIST
.9231 in place of .9222, so that "best" takes them. With 800 filters in place of its 600, test
images of CIFAR-10 have .7660 in place of .7647, but the fit takes 4.1 GB.

``--rival`` trains a network of three convolutions by Adam in PyTorch, at three rates side by side,
for so many epochs, without augmentation. Each epoch is on record as soon as it is over.
"""

import argparse
import multiprocessing
import resource
import textwrap
from time import perf_counter, process_time

import numpy as np
from sklearn.model_selection import train_test_split

from sklearn_zorb import ZORBClassifier, auto_layers, format_layers

from .common import images, note, on_record, quiet, save, saved, show

SHAPES = {
    "mnist": (28, 28, 1), "fashion_mnist": (28, 28, 1), "kmnist": (28, 28, 1),
    "cifar10": (32, 32, 3),
}  # fmt: skip
RATES, BATCH_ROWS = (3e-4, 1e-3, 3e-3), 128
PAGE = """\
.. Written by python -m benchmarks.report; change that, not this.

Images
======

`ZORBClassifier` with the name of an effort and an `input_shape` on four known sets, by ``python -m
benchmarks.images``. KMNIST means its 10 000 test images, split into 8000 and 2000; CIFAR-10 means
12 000 training and 3000 test images. Nothing moves by gradients, images are not augmented, and
nothing is chosen by test images. *CNN* is a network of three convolutions that Adam trains in
PyTorch, the best of three rates, without augmentation: its accuracy once it has taken the CPU
seconds of our fit, and at its best, by test images. It was stopped after so many epochs, at times
sooner than our fit ends.

"""


def data_of(name, held=0, rows=None):
    """Training and test images; with `held`, so many training images in place of the test."""
    X, y, X_test, y_test = images(name)
    if X_test is None:
        X, X_test, y, y_test = train_test_split(X, y, test_size=2000, stratify=y, random_state=0)
    if held:
        X, X_test, y, y_test = train_test_split(X, y, test_size=held, stratify=y, random_state=0)
    if rows:
        X, _, y, _ = train_test_split(X, y, train_size=rows, stratify=y, random_state=0)
    return X, y, X_test, y_test


def fitted(name, layers, held=0, rows=None):
    """Fit one list, and tell what it took."""
    X, y, X_test, y_test = data_of(name, held, rows)
    text = layers
    if "[" not in layers:
        text = format_layers(auto_layers(X, input_shape=SHAPES[name], effort=layers))
    model = ZORBClassifier(
        text, input_shape=SHAPES[name], standardize=False, dtype="float32", random_state=0
    )
    started = perf_counter(), process_time()
    model.fit(X, y)
    seconds, cpu = perf_counter() - started[0], process_time() - started[1]
    started = perf_counter()
    accuracy = model.score(X_test, y_test)
    return {
        "data": name, "list": layers, "images": len(X), "accuracy": accuracy, "fit s": seconds,
        "CPU s": cpu, "ms an image": 1e3 * (perf_counter() - started) / len(X_test),
        "peak GB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6, "layers": text,
    }  # fmt: skip


def rival(name, epochs, held=0, rows=None):
    """After each epoch, CPU seconds and accuracies up to there of a small CNN, by rate."""
    import torch
    from torch import nn

    X, y, X_test, y_test = data_of(name, held, rows)
    height, width, channels = SHAPES[name]

    def as_images(X):
        pixels = X.reshape(-1, height, width, channels).transpose(0, 3, 1, 2)
        return torch.from_numpy(np.ascontiguousarray(pixels))

    def network():
        layers = []
        for before, filters in zip((channels, 32, 64), (32, 64, 128), strict=True):
            layers += [nn.Conv2d(before, filters, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]
        inner = 128 * (height // 8) * (width // 8)
        return nn.Sequential(
            *layers, nn.Flatten(), nn.Linear(inner, 128), nn.ReLU(), nn.Linear(128, 10)
        )

    def one_epoch(network, optimizer):
        started = process_time()
        for part in torch.randperm(len(X)).split(BATCH_ROWS):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(X[part]), y[part]).backward()
            optimizer.step()
        seconds = process_time() - started
        with torch.no_grad():
            found = torch.cat([network(part).argmax(1) for part in X_test.split(1000)])
        return seconds, float(np.mean(found.numpy() == y_test))

    X, X_test, y = as_images(X), as_images(X_test), torch.from_numpy(np.asarray(y))
    torch.manual_seed(0)
    networks = [network() for _ in RATES]
    optimizers = [
        torch.optim.Adam(one.parameters(), lr=rate)
        for one, rate in zip(networks, RATES, strict=True)
    ]
    seconds, rows = dict.fromkeys(RATES, 0.0), []
    for epoch in range(1, epochs + 1):
        for rate, one, optimizer in zip(RATES, networks, optimizers, strict=True):
            taken, accuracy = one_epoch(one, optimizer)
            seconds[rate] += taken
            rows.append({
                "data": name, "rate": rate, "epoch": epoch, "CPU s": seconds[rate],
                "accuracy": accuracy,
            })  # fmt: skip
            note(f"{name}, epoch {epoch}: {accuracy}")
        yield rows


def beside(rows, name, seconds):
    """Columns of the rival: its accuracy after so many seconds, at its best, and when that was."""
    rows = [row for row in rows if row["data"] == name]
    if not rows:
        return {}
    best = max(rows, key=lambda row: (row["accuracy"], -row["CPU s"]))
    return {
        "CNN then": max((row["accuracy"] for row in rows if row["CPU s"] <= seconds), default=0.0),
        "CNN at best": best["accuracy"],
        "CNN CPU s": best["CPU s"],
        "CNN epochs": max(row["epoch"] for row in rows),
    }


def alone(function, *arguments):
    """Call a function in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1, quiet) as pool:
        return pool.apply(function, arguments)


def page(doc, list_table):
    """Write ``images.rst`` into the folder `doc`; nothing without results."""
    record = on_record("images")
    if not record:
        return
    others = on_record("images_rival").get("rows", [])
    rows = [{**row, **beside(others, row["data"], row["CPU s"])} for row in record["rows"]]
    rows.sort(key=lambda row: list(SHAPES).index(row["data"]))
    lines = []
    for row in rows:
        text = textwrap.fill(row["layers"], 90, initial_indent="   ", subsequent_indent="   ")
        lines.append(f'{row["data"]}, ``"{row["list"]}"``::\n\n{text}')
    parts = [PAGE + list_table(rows), "Lists of layers\n---------------", *lines]
    (doc / "images.rst").write_text("\n\n".join(parts) + "\n")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(SHAPES), default=list(SHAPES))
    parser.add_argument("--lists", nargs="*", default=["fast", "auto"])
    parser.add_argument("--held", type=int, default=0, help="training images in place of the test")
    parser.add_argument("--rows", type=int, help="training images")
    parser.add_argument("--rival", type=int, default=0, help="epochs of the other network")
    chosen = parser.parse_args(arguments or [])
    found = saved("images", "data", "list")
    for name in chosen.only:
        size = chosen.held, chosen.rows
        for layers in chosen.lists:
            note(f"{name} {layers}")
            row = alone(fitted, name, layers, *size)
            show([row])
            if not any(size):
                found[name, layers] = row
                save("images", list(found.values()))
        if chosen.rival:
            known = on_record("images_rival").get("rows", [])
            known = [row for row in known if row["data"] != name]
            for rows in rival(name, chosen.rival, *size):
                if not any(size):
                    save("images_rival", known + rows)
            show([beside(rows, name, np.inf)])


if __name__ == "__main__":
    import sys

    main(sys.argv[1:])
