"""What saved sessions may say. Code, meaning, and what to do next."""

from __future__ import annotations

SESSION_BROKEN = (
    "R01",
    "This file is damaged, or it is no session of this tool.",
    "Open an earlier copy of the session; nothing was changed.",
)
SESSION_NEWER = (
    "R02",
    "This session was saved by a later version of this tool.",
    "Open it with that version, or update this one; nothing was changed.",
)
SCAN_MISSING = (
    "R03",
    "A scan of this session is no longer where it was.",
    "Put it back, or open it from where it is now; its result and its findings are kept.",
)
SCAN_CHANGED = (
    "R04",
    "A scan of this session has changed since it was saved.",
    "Examine it again before you rely on its result.",
)
SCAN_MOVED = (
    "R05",
    "A scan of this session was found in another place, with the same content.",
    "No action is needed; save the session to keep the new place.",
)
SCAN_NOT_OPENED = (
    "R06",
    "This scan is named by a session that may come from somebody else, and was not opened.",
    "Look at the paths that the session names, and allow them to be opened if you know them.",
)
