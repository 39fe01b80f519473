"""The ``d24fad`` command: a thin door to the functions that the viewer uses too."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from napari_d24fad.cli.console import complain, quiet_libraries
from napari_d24fad.cli.exits import CANCELLED, exit_status
from napari_d24fad.cli.parser import command_module, read_arguments
from napari_d24fad.detection.encoding.devices import device_faults
from napari_d24fad.errors import Cancelled, Code, D24fadError
from napari_d24fad.trace import safe_trace


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command.

    A refusal is one line on stderr, ``d24fad: error CODE: ...``; results alone go to stdout.

    Args:
        argv: The arguments; None takes those of the process.

    Returns:
        The exit status.
    """
    debug = False
    try:
        with quiet_libraries(), device_faults():
            # Imports the module of this command alone.
            arguments = read_arguments(sys.argv[1:] if argv is None else argv)
            debug = arguments.debug
            status = command_module(arguments.command).run(arguments) or 0
        sys.stdout.flush()
    except (KeyboardInterrupt, Cancelled):
        print("Cancelled.", file=sys.stderr)
        return CANCELLED
    except BrokenPipeError:
        # The reader, such as ``head``, has seen enough; the flush at exit must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        return _refuse(error, debug)
    return int(status)


def _refuse(error: Exception, debug: bool) -> int:
    refusal = error if isinstance(error, D24fadError) else _unforeseen(error)
    complain(str(refusal))
    if debug:
        print(safe_trace(error), file=sys.stderr)
    return exit_status(refusal.code)


def _unforeseen(error: Exception) -> D24fadError:
    # Only the kind: the message of an exception may quote a path or a header value.
    return D24fadError(Code.UNEXPECTED, f"({type(error).__name__})")
