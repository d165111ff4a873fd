"""Damaged and foreign files, drawn by a seed."""

import bz2
import gzip
import io
import json
import pickle
import zipfile
from random import Random

import joblib
import numpy as np

from sklearn_zorb.files.container import read_container, write_container


def flipped(content, count, rng):
    """Copies of which one bit is the other one."""
    for _ in range(count):
        damaged = bytearray(content)
        damaged[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        yield bytes(damaged)


def truncated(content, count, rng):
    """Copies that end early."""
    for _ in range(count):
        yield content[: rng.randrange(len(content))]


def zeroed(content, count, rng):
    """Copies in which a run of bytes is zero."""
    while count:
        start, length = rng.randrange(len(content)), 1 << rng.randrange(13)
        damaged = content[:start] + bytes(len(content[start : start + length]))
        damaged += content[start + length :]
        if damaged != content:
            count -= 1
            yield damaged


def damaged(content, n_flipped=200, n_truncated=50, n_zeroed=60, seed=0):
    """All of them."""
    rng = Random(seed)
    yield from flipped(content, n_flipped, rng)
    yield from truncated(content, n_truncated, rng)
    yield from zeroed(content, n_zeroed, rng)


class Runs:
    """A pickle of it appends to a list."""

    ran: list = []

    def __reduce__(self):
        return (Runs.ran.append, (1,))


def foreign(content):
    """Files that are no models, by name; `content` is that of a model file."""
    zipped, compressed, plain, arrays = (io.BytesIO() for _ in range(4))
    with zipfile.ZipFile(zipped, "w") as archive:
        archive.writestr("schema.json", "{}")
    joblib.dump(Runs(), compressed, compress=3)
    np.save(plain, np.arange(3))
    np.savez(arrays, X=np.arange(3))
    first, digest, rest = content.split(b"\n", 2)
    return {
        **{f"pickle of protocol {n}": pickle.dumps(Runs(), protocol=n) for n in (0, 2, 4, 5)},
        "joblib, compressed": compressed.getvalue(),
        "zip": zipped.getvalue(),
        "npy": plain.getvalue(),
        "npz": arrays.getvalue(),
        "nothing": b"",
        "text": b"sklearn-zorb model\n",
        "csv": b"a,b\n1,2\n",
        "json": json.dumps({"model": 1}).encode(),
        "gzip": gzip.compress(content),
        "bzip2": bz2.compress(content),
        "zeros": bytes(1000),
        "PNG": b"\x89PNG\r\n\x1a\n" + bytes(100),
        "first lines": first + b"\n" + digest + b"\n",
        "two of them": content + content,
        "line ends of Windows": content.replace(b"\n", b"\r\n", 2),
    }


def edited(path, rng):
    """A file with a right digest whose JSON or arrays were changed at some places, as bytes."""
    tree, arrays = read_container(path)
    for _ in range(rng.randrange(1, 4)):
        if arrays and rng.random() < 0.4:
            _edit_array(arrays, rng)
        else:
            _edit_json(tree, rng)
    return b"".join(write_container(tree, arrays, "0.0"))


def _edit_array(arrays, rng):
    i = rng.randrange(len(arrays))
    array = arrays[i]
    change = rng.randrange(5)
    if change == 0:
        arrays[i] = array.reshape(-1)[: rng.randrange(array.size + 1)]
    elif change == 1 and array.dtype.kind != "U":
        arrays[i] = array.astype(rng.choice(["f4", "i1", "i8", "u8", "U3", "?", "f8"]))
    elif change == 2:
        arrays[i] = rng.choice(arrays)
    elif array.size and array.dtype.kind in "iuf":
        arrays[i] = array.copy()
        place = rng.randrange(array.size)
        with np.errstate(all="ignore"):
            value = np.float64(rng.choice([-1, 0, 1e3, 2**31, -(2**62), np.inf, np.nan]))
            arrays[i].reshape(-1)[place] = value.astype(array.dtype)


def _edit_json(tree, rng):
    """Another value at a place that is reached by chance, or none."""
    nodes = tree.get("nodes")
    holder = nodes if isinstance(nodes, list) and rng.random() < 0.9 else tree
    while True:
        places = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not places:
            return
        place = rng.choice(places)
        if not isinstance(holder[place], dict | list) or rng.random() < 0.2:
            break
        holder = holder[place]
    values = [None, True, -1, 0, 7, 10**12, 1e300, "", "Dense", "Nodes", [0], [5], [10**6], [],
              {}, [[1]], {"list": []}, {"object": "Gram", "state": {}}, {"class": "Pipeline"},
              {"other": 0}, {"optax": "EmptyState", "values": []}]  # fmt: skip
    if rng.random() < 0.2:
        del holder[place]
    else:
        holder[place] = rng.choice(values)
