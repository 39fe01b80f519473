"""What arrives is bounded, checked and kept apart until all is there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from napari_d24fad.archives.inbox import Inbox
from napari_d24fad.archives.limits import BOUNDS, Bounds
from napari_d24fad.archives.stated import stated_of
from napari_d24fad.errors import ArchiveError, Code
from napari_d24fad.progress import CancelToken
from tests.archives.studies import SERIES, STUDY, ct_slice, encoded
from tests.studies.phantom import save

WANTED = {f"{SERIES}.{number}": SERIES for number in range(1, 4)}
ONE, TWO, THREE = (encoded(ct_slice(number)) for number in range(1, 4))


def inbox(folder: Path, bounds: Bounds = BOUNDS) -> Inbox:
    return Inbox(folder, STUDY, WANTED, CancelToken(), bounds=bounds)


def test_one_image_and_all_together_have_their_limits(tmp_path: Path) -> None:
    small = inbox(tmp_path / "a", replace(BOUNDS, instance=len(ONE) - 1))
    with pytest.raises(ArchiveError) as caught:
        small.take(ONE)
    assert caught.value.code is Code.TOO_MUCH
    few = inbox(tmp_path / "b", replace(BOUNDS, study=2 * len(ONE) + 10))
    few.take(ONE)
    few.take(TWO)
    with pytest.raises(ArchiveError) as caught:
        few.take(THREE)
    assert caught.value.code is Code.TOO_MUCH
    assert few.missing == (f"{SERIES}.3",)


def test_the_next_try_counts_what_is_whole_and_drops_the_rest(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    first = inbox(folder)
    first.take(ONE)
    first.begin()
    first.write(TWO[:300])  # and here the process is killed
    kept = first.held[f"{SERIES}.1"]
    stranger = kept.with_name("0.dcm")
    save(ct_slice(2, study="1.2.3"), stranger)
    cut = kept.with_name("1.dcm")
    cut.write_bytes(TWO[:200])
    again = inbox(folder)
    assert list(again.held) == [f"{SERIES}.1"]
    assert not stranger.exists()
    assert not cut.exists()
    first.close()


def test_what_is_no_image_is_counted_and_not_kept(tmp_path: Path) -> None:
    box = inbox(tmp_path / "a")
    for wrong in (b"", b"no DICOM", ONE[:150], bytes(128) + b"DICM", bytes(128) + b"DICM" + b"\xff" * 300):
        box.take(wrong)
    assert box.unreadable == 5
    assert not list((tmp_path / "a").rglob("*.dcm"))
    box.take(ONE)
    assert stated_of(box.held[f"{SERIES}.1"]) is not None
