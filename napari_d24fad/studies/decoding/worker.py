"""The process that decodes compressed pixels, which may crash it: ``python -m`` this, nothing else.

It imports neither Qt nor torch. Requests come from the parent by standard input, answers go back
by standard output, see `decoding_messages`. It ends when its input does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from functools import partial
from io import BytesIO
from typing import Any

import psutil
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import Decoder, get_decoder
from pydicom.uid import (
    UID,
    JPEGBaseline8Bit,
    JPEGExtended12Bit,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from napari_d24fad.errors import D24fadError
from napari_d24fad.studies.decoding import jpeg, jpeg2000
from napari_d24fad.studies.decoding.messages import receive, send
from napari_d24fad.studies.decoding.pictures import decode_image

if sys.platform != "win32":  # where only the time is limited, by the parent
    import resource

_JPEG_LS = (JPEGLSLossless, JPEGLSNearLossless)
_END_OF_IMAGE, _PADDED = b"\xff\xd9", 16

_PLUGINS = {
    RLELossless: "pydicom",
    **dict.fromkeys((JPEGBaseline8Bit, JPEGExtended12Bit), "pillow"),
    **dict.fromkeys(jpeg2000.SYNTAXES, "pylibjpeg"),
    **dict.fromkeys(_JPEG_LS, "pyjpegls"),
    **dict.fromkeys(jpeg.LOSSLESS, jpeg.PLUGIN),
}
"""Who decodes what; another one decodes what is not listed, or where this one is not installed."""

# What decoders need besides the picture: JPEG 2000 takes four bytes for each value, several times.
_SPARE, _TIMES = 2**29, 24


def main() -> None:
    """Answers requests until there are no more."""
    # Ctrl-C in a terminal reaches this process too; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # What C libraries print must not come between the answers.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    jpeg.add_plugin()
    send(answers, {"ready": True})
    with contextlib.suppress(EOFError):
        while True:
            head, frame = receive(requests)
            send(answers, *_answer(head, frame))


def _answer(request: dict[str, Any], frame: bytes) -> tuple[dict[str, Any], bytes]:
    """Decodes a frame or a picture; says in a word why not.

    A panic of Rust code is no `Exception`: it ends the process, as a crash does.
    """
    _limit(request["size"], request["seconds"])
    return _picture(frame) if "picture" in request else _frame(request, frame)


def _picture(content: bytes) -> tuple[dict[str, Any], bytes]:
    try:
        pixels = decode_image(partial(BytesIO, content))
    except D24fadError as error:
        return {"code": error.code.name}, b""
    return {"dtype": pixels.dtype.newbyteorder("<").str, "shape": pixels.shape}, pixels.tobytes()


def _frame(request: dict[str, Any], frame: bytes) -> tuple[dict[str, Any], bytes]:
    decoder = get_decoder(UID(request["syntax"]))
    attributes = request["attributes"]
    plugin = _plugin(decoder, attributes)
    # CharLS says so too, after seconds; libjpeg never does.
    cut = plugin in ("pyjpegls", jpeg.PLUGIN) and _END_OF_IMAGE not in frame[-_PADDED:]
    fault = "damaged" if cut else _fault(decoder.UID, plugin, frame, attributes)
    if fault:
        return {"error": fault}, b""
    try:
        pixels, found = decoder.as_array(
            encapsulate([frame], has_bot=False), decoding_plugin=plugin, **attributes
        )
    except MemoryError:
        return {"error": "memory"}, b""
    except RuntimeError as error:
        return {"error": "truncated" if "less than expected" in str(error) else "damaged"}, b""
    except Exception as error:
        return {"error": "truncated" if "less than expected" in str(error) else "unsupported"}, b""
    photometric = str(found.get("photometric_interpretation", ""))
    answer = {"dtype": pixels.dtype.str, "shape": pixels.shape, "photometric": photometric}
    return answer, pixels.tobytes()


def _fault(syntax: UID, plugin: str, frame: bytes, attributes: dict[str, Any]) -> str:
    """Says what speaks against decoding a frame: its own header is read before memory is taken."""
    if plugin == jpeg.PLUGIN:
        return jpeg.fault(syntax, frame, attributes)
    return jpeg2000.fault(frame, attributes) if syntax in jpeg2000.SYNTAXES else ""


def decoder_name(syntax: UID, bits_stored: int) -> str:
    """Returns which plugin of pydicom is to decode a transfer syntax; empty if it is none's in particular."""
    if syntax in jpeg.DCT and bits_stored > 8:
        return jpeg.PLUGIN
    return _PLUGINS.get(syntax, "")


def _plugin(decoder: Decoder, attributes: dict[str, Any]) -> str:
    chosen = decoder_name(decoder.UID, attributes["bits_stored"])
    return chosen if chosen in decoder.available_plugins else ""


def _limit(size: int, seconds: float) -> None:
    """Lets the system end this process if a frame takes too much memory, or computing time.

    The parent watches the clock, which a busy machine needs more patience with.
    """
    if sys.platform == "win32":
        return
    used = os.times()
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.user + used.system + seconds) + 1, most))
    if sys.platform == "linux":  # others do not obey
        held = psutil.Process().memory_info().vms
        _, most = resource.getrlimit(resource.RLIMIT_AS)
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (held + _SPARE + _TIMES * size, most))


if __name__ == "__main__":
    main()
