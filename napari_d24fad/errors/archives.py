"""What archives (PACS) may say. Code, meaning, and what to do next."""

from __future__ import annotations

UNREACHABLE = (
    "N01",
    "The archive cannot be reached.",
    "Check its address and the network, then try: d24fad archives test NAME",
)
LOGIN_REFUSED = (
    "N02",
    "The archive refused the user name or the password.",
    "Check both, and give the password again.",
)
NOT_ENCRYPTED = (
    "N03",
    "The connection to this archive would not be encrypted.",
    "Use its https:// address or TLS, or allow it for this archive with --allow-unencrypted.",
)
NOT_TRUSTED = (
    "N04",
    "The archive cannot prove that it is the one whose address was given.",
    "Ask who runs it for the certificate of its authority, and name that file with --ca.",
)
ARCHIVE_UNKNOWN = (
    "N05",
    "No archive of this name is set up.",
    "List them with: d24fad archives list",
)
BAD_ANSWER = (
    "N06",
    "The archive gave an answer that this tool does not understand.",
    "Check that the address is that of its DICOM service, and ask who runs it.",
)
NOT_ASKED_FOR = (
    "N07",
    "The archive sent images that were not asked for.",
    "None of this study was kept; tell who runs the archive.",
)
TOO_MUCH = (
    "N08",
    "The archive sends more than the limits allow.",
    "Ask for less at once: one series, or a narrower search.",
)
INCOMPLETE = (
    "N09",
    "Some images did not arrive.",
    "Do the same again: what arrived is kept, and only the rest is asked for.",
)
DIFFERENT_COPY = (
    "N10",
    "Two images have the same identifier and different content.",
    "What was there first is kept; ask who runs the archive which one is right.",
)
NOT_STORED = (
    "N11",
    "The archive does not hold some of the images as they were sent.",
    "Send those that are named again, or ask who runs the archive.",
)
NOTHING_MATCHES = (
    "N12",
    "The archive has nothing that matches.",
    "Check what was asked for; names and IDs may be written otherwise there.",
)
AE_REFUSED = (
    "N13",
    "The archive refused the AE title of this program, its own AE title, or the service asked for.",
    "Check both AE titles, and have this program entered in the archive with its address and port.",
)
STALLED = (
    "N14",
    "The archive stopped sending, or sends far too slowly.",
    "Do the same again later: what arrived is kept.",
)
PASSWORD_MISSING = (
    "N15",
    "No password is kept for this archive.",
    "Give it again with: d24fad archives add NAME, or in the environment variable that is named.",
)
KEYRING_FAILED = (
    "N16",
    "The system's keyring, which keeps the password, cannot be used.",
    "Unlock it, or give the password in the environment variable that is named.",
)
CANNOT_LISTEN = (
    "N17",
    "The port on which images were to arrive cannot be opened.",
    "Choose another port for this archive, and enter it there too.",
)
