"""A network of its own for the tests of archives: only loopback, reachable from nowhere else.

Orthanc 1.10 listens on all addresses whatever its settings say.
"""

from __future__ import annotations

import ctypes
import os
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_NETWORK = 0x40000000  # CLONE_NEWNET
_SET_FLAGS = 0x8914  # SIOCSIFFLAGS
_UP_AND_RUNNING = 0x41


@contextmanager
def own_network() -> Iterator[None]:
    """Moves this thread, and what it starts, to a network of its own; skips the test where it may not."""
    try:
        before = _network()
        library = ctypes.CDLL(None, use_errno=True)
        library.unshare  # noqa: B018 - there is none but on Linux
    except (OSError, AttributeError):
        pytest.skip("there are no network namespaces here")
    if library.unshare(_NETWORK):
        os.close(before)
        pytest.skip("this user may not make a network namespace")
    try:
        import fcntl

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
            fcntl.ioctl(one, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP_AND_RUNNING))
        yield
    finally:
        library.setns(before, _NETWORK)
        os.close(before)


def _network() -> int:
    return os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY)
