"""What a unit gets by descriptor: one as it is, several in a message."""

import os
import socket

import pytest

from gxo.runtime.handed import Handed


def content(descriptor: int) -> bytes:
    with open(descriptor, "rb") as file:
        return file.read()


def test_nothing_and_one() -> None:
    """None where there is none; one is the standard input itself, and stays its caller's."""
    with Handed().stdin(None) as stdin:
        assert stdin is None
    with Handed(given="text").stdin(None) as stdin:
        assert stdin is not None
        assert content(os.dup(stdin)) == b"text"
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(stdin)
    reader, writer = os.pipe()
    with Handed(inputs=(reader,)).stdin(None) as stdin:
        assert stdin == reader
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("answers", [True, False])
def test_several(answers: bool) -> None:
    """What is read first, where the answer goes, the inputs in order; the output of a worker, since
    that of a program is its standard output. The sender may be gone before they are taken.
    """
    pipes = [os.pipe() for _ in range(4)]
    (answer, to_answer), (one, to_one), (two, to_two), (output, to_output) = pipes
    os.write(to_one, b"1")
    os.write(to_two, b"2")
    handed = Handed(given="first", inputs=(one, two), output=to_output, answers=answers)
    with handed.stdin(to_answer if answers else None) as stdin:
        assert stdin is not None
        kept = socket.socket(fileno=os.dup(stdin))
    for pipe in pipes:
        os.close(pipe[1])
    with kept:
        _, found, _, _ = socket.recv_fds(kept, 1, 10)
    assert content(found.pop(0)) == b"first"
    if answers:
        os.write(found[0], b"said")
        os.close(found.pop(0))
        os.write(found[2], b"out")
        os.close(found.pop(2))
        assert (os.read(answer, 9), os.read(output, 9)) == (b"said", b"out")
    assert [content(each) for each in found] == [b"1", b"2"]
    for pipe in pipes:
        os.close(pipe[0])
