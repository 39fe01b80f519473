"""What not every system has; tests that need it are left out where it is missing."""

from __future__ import annotations

import os
import socket

import pytest

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
needs_pipes = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
needs_sockets = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="this system has no local sockets")
needs_permissions = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to this user"
)
