"""What goes wrong while voxels are read of a file whose header was understood."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from napari_d24fad.errors import Cancelled, Code, D24fadError, StudyError


@contextmanager
def coded_voxel_errors() -> Iterator[None]:
    """Turns what readers raise into a `StudyError`; their messages quote the path."""
    try:
        yield
    except (D24fadError, Cancelled):
        raise
    except MemoryError:
        raise StudyError(Code.TOO_LARGE, "There is not enough free memory.") from None
    except FileNotFoundError:
        raise StudyError(Code.PATH_MISSING, "The file disappeared while it was read.") from None
    except PermissionError:
        raise StudyError(Code.PATH_UNREADABLE) from None
    except Exception:
        # The header was read before, so whatever gzip, zlib, nibabel, SimpleITK or numpy raise now
        # comes from missing or damaged data.
        raise StudyError(Code.TRUNCATED) from None
