"""Who may read what is kept of references, and that nothing is kept where nothing is wanted."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from napari_d24fad.session.feature_cache import FeatureCache

KEY = f"{7:064x}"
LIMIT = 2**20

posix = pytest.mark.skipif(os.name != "posix", reason="Windows keeps a user's folders to the user by itself")


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}


@pytest.fixture
def open_umask() -> Iterator[None]:
    """As many machines of groups have it: what is written is for everybody."""
    before = os.umask(0)
    yield
    os.umask(before)


@posix
@pytest.mark.usefixtures("open_umask")
def test_only_this_user_may_read_an_entry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cache" / "features"
    seen: list[int] = []
    write = Path.write_bytes

    def watched(path: Path, data: bytes) -> int:
        seen.append(stat.S_IMODE(path.stat().st_mode))  # before the first byte
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", watched)
    cache = FeatureCache(folder, LIMIT)
    cache.put(KEY, {"seen": torch.ones(3)}, {})
    cache.put(f"{8:064x}", {}, {"pixels": "note"})
    assert seen == [0o600] * 2
    assert modes(folder) == {"features": 0o700} | {f"{n:064x}.safetensors": 0o600 for n in (7, 8)}
    assert stat.S_IMODE((tmp_path / "cache").stat().st_mode) == 0o700
    assert cache.get(KEY) is not None


@posix
@pytest.mark.usefixtures("open_umask")
@pytest.mark.parametrize("limit", [0, LIMIT])
def test_entries_that_an_earlier_version_left_open_are_closed(tmp_path: Path, limit: int) -> None:
    folder = tmp_path / "features"
    FeatureCache(folder, LIMIT).put(KEY, {"seen": torch.ones(3)}, {})
    left = folder / ".d24fad-being-written"
    left.write_bytes(b"picture")
    folder.chmod(0o755)
    for path in folder.iterdir():
        path.chmod(0o644)
    other = tmp_path / "other"
    other.write_text("not ours")
    (folder / "link").symlink_to(other)
    FeatureCache(folder, limit)
    assert modes(folder) == {
        "features": 0o700,
        f"{KEY}.safetensors": 0o600,
        left.name: 0o600,
        "link": stat.S_IMODE(other.stat().st_mode),
    }
    assert stat.S_IMODE(other.stat().st_mode) == 0o666
    assert (FeatureCache(folder, LIMIT).get(KEY)) is not None


def test_a_limit_of_0_writes_nothing(tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path / "features", 0)
    cache.put(KEY, {}, {"pixels": "note"})
    cache.put(KEY, {"seen": torch.ones(3)}, {})
    assert list(tmp_path.iterdir()) == []
