"""Passwords of archives: in the system's keyring, or the environment where there is none. Never in a file."""

from __future__ import annotations

import os
from contextlib import suppress

from napari_d24fad.archives.archive import Archive
from napari_d24fad.errors import ArchiveError, Code

_SERVICE = "napari-d24fad archive"


def password_variable(name: str) -> str:
    """Returns the environment variable that may hold the password of an archive."""
    return f"D24FAD_PASSWORD_{name.upper().replace('-', '_')}"


def password_of(archive: Archive) -> str:
    """Returns the password of an archive; empty where it has no user name.

    The environment comes first: who sets it means it.

    Raises:
        ArchiveError: ``PASSWORD_MISSING`` or ``KEYRING_FAILED``, which name the variable.
    """
    if not archive.user:
        return ""
    if stated := os.environ.get(password_variable(archive.name), ""):
        return stated
    import keyring
    from keyring.errors import KeyringError, NoKeyringError

    detail = f"The variable is {password_variable(archive.name)}."
    try:
        kept = keyring.get_password(_SERVICE, _account(archive))
    except NoKeyringError:
        kept = None
    except (KeyringError, OSError, RuntimeError):
        raise ArchiveError(Code.KEYRING_FAILED, detail) from None
    if not kept:
        raise ArchiveError(Code.PASSWORD_MISSING, detail)
    return kept


def keep_password(archive: Archive, password: str) -> None:
    """Puts a password into the system's keyring.

    Raises:
        ArchiveError: ``KEYRING_FAILED``.
    """
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(_SERVICE, _account(archive), password)
    except (KeyringError, OSError, RuntimeError):
        detail = f"The variable is {password_variable(archive.name)}."
        raise ArchiveError(Code.KEYRING_FAILED, detail) from None


def forget_password(archive: Archive) -> None:
    """Takes a password out of the keyring, if there is one."""
    import keyring
    from keyring.errors import KeyringError

    with suppress(KeyringError, OSError, RuntimeError):
        keyring.delete_password(_SERVICE, _account(archive))


def _account(archive: Archive) -> str:
    # With the place: a changed address must not be handed the password of another server.
    return f"{archive.user} {archive.name} {archive.place}"
