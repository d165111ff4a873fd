"""Files are written whole or not at all."""

import os
import stat
import subprocess
import sys

import pytest

from sklearn_zorb.writing import write_beside


def write(path, content):
    with write_beside(path) as file:
        file.write(content)


def test_a_file_is_replaced_and_its_permissions_are_kept(tmp_path):
    path = tmp_path / "model"
    write(path, b"old")
    plain = tmp_path / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode
    path.chmod(0o640)
    write(str(path), b"new")
    assert path.read_bytes() == b"new" and stat.S_IMODE(path.stat().st_mode) == 0o640
    assert sorted(tmp_path.iterdir()) == [path, plain]


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
def test_what_fails_half_way_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "model"
    path.write_bytes(b"old")
    with pytest.raises(type(error)), write_beside(path) as file:
        file.write(b"ne")
        raise error
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path):
    path, link = tmp_path / "model", tmp_path / "latest"
    path.write_bytes(b"old")
    link.symlink_to(path)
    write(link, b"new")
    assert link.is_symlink() and path.read_bytes() == b"new"


def test_what_is_no_file_is_written_to(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write(pipe, b"new")
    assert os.read(reader, 10) == b"new" and stat.S_ISFIFO(pipe.stat().st_mode)
    os.close(reader)


def test_a_link_to_what_is_no_file_is_written_to():
    """As /dev/stdout is one where standard output is a pipe."""
    code = (
        "from sklearn_zorb.writing import write_beside\n"
        "with write_beside('/dev/stdout') as file: file.write(b'new')"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).stdout == b"new"
