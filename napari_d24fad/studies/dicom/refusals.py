"""Which pixels can be decoded, and what is wrong where that fails, in words of our own."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from pydicom.config import IGNORE
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID, ImplicitVRLittleEndian

from napari_d24fad.errors import Cancelled, Code, D24fadError, StudyError
from napari_d24fad.studies.decoding.jpeg import LOSSLESS
from napari_d24fad.studies.dicom.header import Instance, vanished
from napari_d24fad.studies.files.quiet import quiet


def check_decodable(instance: Instance) -> None:
    """Returns if the pixels of a file are of a kind that can be decoded.

    Raises:
        StudyError: ``UNSUPPORTED_PIXELS`` or ``CONTRADICTORY_PIXELS``, naming the reason.
    """
    if instance.photometric is None:
        raise StudyError(Code.CONTRADICTORY_PIXELS, "Its colour space is not known.")
    syntax = _syntax(instance.transfer_syntax)
    try:
        with quiet():
            # The decoding process knows a decoder of JPEG Lossless that pydicom does not.
            decodable = syntax in LOSSLESS or get_decoder(syntax).is_available
    except NotImplementedError:
        decodable = False
    if not decodable:
        raise _unsupported(syntax) from None


def _unsupported(syntax: UID) -> StudyError:
    # Without a name in the dictionary it may be any text.
    name = syntax.name if syntax.name != syntax else "not known"
    return StudyError(Code.UNSUPPORTED_PIXELS, f"Its transfer syntax is {name}.")


def _syntax(transfer_syntax: str) -> UID:
    return UID(transfer_syntax or ImplicitVRLittleEndian, validation_mode=IGNORE)


@contextmanager
def coded_errors(transfer_syntax: str) -> Iterator[None]:
    """Turns what pydicom, highdicom and the decoders raise into a `StudyError`.

    Their messages quote header values and paths, so none of them is passed on.

    Args:
        transfer_syntax: Transfer Syntax UID of the file being decoded.
    """
    try:
        yield
    except (D24fadError, Cancelled):
        raise
    except MemoryError:
        raise StudyError(Code.TOO_LARGE, "There is not enough free memory.") from None
    except FileNotFoundError:
        raise vanished() from None
    except OSError as error:
        # The file system numbers its errors; pydicom raises others on damaged files.
        raise StudyError(Code.PATH_UNREADABLE if error.errno else Code.TRUNCATED) from None
    except RecursionError:
        raise StudyError(Code.NOT_AN_IMAGE, "Its header is nested too deeply.") from None
    except zlib.error:
        raise StudyError(Code.TRUNCATED, "Its compressed data is damaged.") from None
    except Exception as error:
        # Decoders raise any exception on damaged input.
        syntax = _syntax(transfer_syntax)
        if "less than expected" in str(error):
            raise StudyError(Code.TRUNCATED) from None
        if syntax.is_compressed and isinstance(error, RuntimeError):
            raise StudyError(Code.TRUNCATED, "Its compressed pixel data is damaged.") from None
        raise StudyError(Code.CONTRADICTORY_PIXELS) from None
