"""Whether a study that is asked for was fetched before: then none of its images is asked for again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from napari_d24fad.archives.found import FoundInstance, FoundSeries
from napari_d24fad.archives.inbox import instance_name, series_name
from napari_d24fad.archives.peer import Peer
from napari_d24fad.archives.stated import stated_of
from napari_d24fad.progress import CancelToken


def is_there(
    peer: Peer,
    series: Sequence[FoundSeries],
    folder: Path,
    listed: dict[str, list[FoundInstance]],
    cancel: CancelToken,
) -> bool:
    """Returns whether all images that an archive lists of series are in the folder of their study.

    By their UIDs: whether the archive has other pixels by now is only seen where images come again.

    Args:
        peer: The archive; asked for its lists only as long as they may be those of the folder.
        series: Of one study.
        folder: Of the study.
        listed: Takes the images of each series that was listed.
        cancel: Stops it.

    Raises:
        ArchiveError: What the archive gives reason for.
        Cancelled: If asked to stop.
    """
    kept = {one.uid: _images(folder / series_name(one.uid)) for one in series}
    if not all(kept[one.uid] and one.instances <= len(kept[one.uid]) for one in series):
        return False
    for one in series:
        listed[one.uid] = list(peer.instances(one))
        for instance in listed[one.uid]:
            cancel.check()
            file = kept[one.uid].get(instance_name(instance.uid))
            if file is None or not _is(file, one, instance):
                return False
    return any(listed.values())


def _images(folder: Path) -> dict[str, Path]:
    try:
        return {file.name: file for file in folder.iterdir()}
    except OSError:
        return {}


def _is(file: Path, series: FoundSeries, instance: FoundInstance) -> bool:
    try:
        stated = stated_of(file)
    except OSError:
        return False
    wanted = (series.study, series.uid, instance.uid)
    return stated is not None and (stated.study, stated.series, stated.instance) == wanted
