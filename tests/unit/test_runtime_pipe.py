"""The pipe of a stream: its size, its end, what is left in it, who is gone."""

import os
from collections.abc import Iterator

import pytest

from gxo.runtime.pipe import Pipe, PipeError


@pytest.fixture
def ends() -> Iterator[tuple[Pipe, int, int]]:
    """A pipe whose consumer and producer have ends of their own."""
    pipe = Pipe(8192)
    reader, writer = os.dup(pipe.reader), os.dup(pipe.writer)
    pipe.handed_over()
    left = [reader, writer]
    yield pipe, reader, writer
    pipe.close()
    for end in left:
        try:
            os.close(end)
        except OSError:
            continue


def test_no_end_before_it_is_given(ends: tuple[Pipe, int, int]) -> None:
    """A producer that is gone leaves its consumer waiting; then come its bytes, then the end."""
    pipe, reader, writer = ends
    os.set_blocking(reader, False)
    os.write(writer, b"abc")
    os.close(writer)
    assert os.read(reader, 2) == b"ab"
    pipe.end()
    assert pipe.unread == 1
    assert (os.read(reader, 9), os.read(reader, 9), pipe.unread) == (b"c", b"", 0)


def test_without_an_end_a_reader_waits(ends: tuple[Pipe, int, int]) -> None:
    """It blocks, though nobody but the runner can write any more."""
    _, reader, writer = ends
    os.close(writer)
    os.set_blocking(reader, False)
    with pytest.raises(BlockingIOError):
        os.read(reader, 1)


def test_a_reader_that_is_gone(ends: tuple[Pipe, int, int]) -> None:
    """Its producer's write fails, and it is known."""
    pipe, reader, writer = ends
    assert not pipe.deserted
    os.close(reader)
    assert pipe.deserted
    with pytest.raises(BrokenPipeError):
        os.write(writer, b"x")


def test_its_size(ends: tuple[Pipe, int, int]) -> None:
    """It takes no more than was asked for, in whole pages."""
    _, _, writer = ends
    os.set_blocking(writer, False)
    assert os.write(writer, bytes(1 << 20)) == 8192


def test_a_size_that_no_host_has() -> None:
    """The error says how much was asked for, and where the limit stands."""
    with pytest.raises(PipeError, match=r"cannot make a pipe of 4294967296 bytes: .*pipe-max-size"):
        Pipe(1 << 32)
