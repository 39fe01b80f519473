"""An archive as the user set it up: where it is and how it is spoken to. Never a password."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from napari_d24fad.errors import ArchiveError, ArgumentError, Code

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_AE_TITLE = re.compile(r"[!-\[\]-~](?:[ -\[\]-~]{0,14}[!-\[\]-~])?")  # PS3.5, 6.2: no backslash, no control
_PORTS = range(1, 2**16)
OWN_AE_TITLE = "D24FAD"
"""The AE title of this program, where the user gives no other."""


@dataclass(frozen=True, slots=True)
class Archive:
    """Where an archive is and how it is spoken to.

    Attributes:
        name: What the user calls it: letters, digits, ``_`` and ``-``.
        url: Base address of its DICOMweb services; empty for DIMSE.
        host: Host of its DIMSE services; empty for DICOMweb.
        port: Port of its DIMSE services.
        ae_title: Its AE title.
        own_ae_title: The AE title that this program calls itself there.
        listen: Port on which images arrive (C-MOVE); 0 retrieves with C-GET.
        tls: Whether DIMSE is encrypted; DICOMweb is by its address.
        authority: File (PEM) with the certificate of the authority that vouches for it; empty for those
            that are known.
        user: User name; empty without one.
        unencrypted: Whether the user allows a connection to another machine that is not encrypted.
    """

    name: str
    url: str = ""
    host: str = ""
    port: int = 0
    ae_title: str = ""
    own_ae_title: str = OWN_AE_TITLE
    listen: int = 0
    tls: bool = False
    authority: str = ""
    user: str = ""
    unencrypted: bool = False

    def __post_init__(self) -> None:
        if wrong := _wrong(self):
            raise ArgumentError(Code.BAD_ARGUMENT, wrong)

    @property
    def is_web(self) -> bool:
        """Whether it is spoken to by DICOMweb."""
        return bool(self.url)

    @property
    def is_encrypted(self) -> bool:
        """Whether what is said to it is encrypted."""
        return self.url.startswith("https://") if self.is_web else self.tls

    @property
    def is_local(self) -> bool:
        """Whether it runs on this machine, by an address that leads nowhere else."""
        return is_loopback((urlsplit(self.url).hostname or "") if self.is_web else self.host)

    @property
    def place(self) -> str:
        """Where it is, as the user typed it."""
        return self.url or f"{self.ae_title}@{self.host}:{self.port}"

    def check_encrypted(self) -> None:
        """Returns if it may be spoken to.

        Raises:
            ArchiveError: ``NOT_ENCRYPTED`` beyond this machine, unless it is encrypted or allowed.
        """
        if not (self.is_encrypted or self.is_local or self.unencrypted):
            raise ArchiveError(Code.NOT_ENCRYPTED)

    def check_authority(self) -> None:
        """Returns if the file of the authority is there, where one is named.

        Raises:
            ArchiveError: ``NOT_TRUSTED`` if not: without it everybody, or nobody, would be trusted.
        """
        if self.authority and not Path(self.authority).is_file():
            raise ArchiveError(Code.NOT_TRUSTED, "The file of the authority's certificate is not there.")


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: an address of loopback. A name but localhost may lead anywhere."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _wrong(archive: Archive) -> str:
    """Returns what is wrong with the settings of an archive, or nothing."""
    if not _NAME.fullmatch(archive.name):
        return "The name of an archive has 1 to 32 letters, digits, _ or -."
    if archive.is_web:
        return _wrong_address(archive.url)
    if not archive.host or any(not letter.isprintable() or letter.isspace() for letter in archive.host):
        return "An archive has an address: --url, or --dicom AE@HOST:PORT."
    if archive.port not in _PORTS or archive.listen not in range(2**16):
        return "A port is a number from 1 to 65535."
    if not (_AE_TITLE.fullmatch(archive.ae_title) and _AE_TITLE.fullmatch(archive.own_ae_title)):
        return "An AE title has 1 to 16 characters and no backslash."
    return ""


def _wrong_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "The address is not a valid one."
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        return "The address of DICOMweb begins with https:// (or http://)."
    if parts.username is not None or parts.password is not None:
        return "The address holds no user name or password; give the name with --user."
    if ":" in parts.hostname:
        return "Give a name instead of an IPv6 address."  # dicomweb-client takes none
    if parts.query or parts.fragment:
        return "The address has no question mark and no #."
    return ""
