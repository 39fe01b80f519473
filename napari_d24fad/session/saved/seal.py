"""Tells sessions that this user wrote on this machine from those that somebody sent."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from contextlib import suppress

from napari_d24fad.atomic import atomic_file
from napari_d24fad.errors import ExportError
from napari_d24fad.session.saved.document import Document
from napari_d24fad.settings import session_key_file

_BYTES = 32


def seal_of(document: Document) -> str:
    """Returns the seal over all paths that a session names; empty where no key can be kept.

    A path in a file that somebody sent could name a pipe, a device or a share on the network that learns who
    opens it. Only with the key of this user can a session say that its paths were chosen here.
    """
    key = _key(make=True)
    return "" if key is None else _sealed(document, key)


def is_own(document: Document) -> bool:
    """Whether this user wrote a session on this machine, or one that names the same paths."""
    key = _key(make=False)
    return key is not None and hmac.compare_digest(_sealed(document, key), document.seal)


def _sealed(document: Document, key: bytes) -> str:
    paths = [[study.path, study.relative] for study in document.studies]
    models = [case.model for case in document.cases]
    return hmac.new(key, json.dumps([paths, models]).encode(), hashlib.sha256).hexdigest()


def _key(*, make: bool) -> bytes | None:
    file = session_key_file()
    with suppress(OSError):
        key = file.read_bytes()
        if len(key) == _BYTES:
            return key
    if not make:
        return None
    key = secrets.token_bytes(_BYTES)
    try:
        with atomic_file(file, private=True) as staged:
            staged.write_bytes(key)
    except ExportError:
        return None  # then every session asks
    return key
