"""What is done with one case: a session examines it, which each process sets up once."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from napari_d24fad.cohort.acquired import acquired
from napari_d24fad.cohort.fetching import fetched_study
from napari_d24fad.cohort.item import Item
from napari_d24fad.cohort.place import SESSION_NAME, THUMBNAIL_NAME
from napari_d24fad.cohort.row import Row
from napari_d24fad.detection.references.pairing import check_pairing
from napari_d24fad.errors import Code, CohortError, PairingError, StudyError
from napari_d24fad.export.report import share_above
from napari_d24fad.session.request import Examination
from napari_d24fad.session.saved.case import Case
from napari_d24fad.session.saved.hashes import ContentHashes
from napari_d24fad.session.saved.session_file import save_session
from napari_d24fad.session.saving import save
from napari_d24fad.session.scripting import Session
from napari_d24fad.studies.series import Series
from napari_d24fad.studies.study import chosen, open_study
from napari_d24fad.version import __version__

if TYPE_CHECKING:
    from napari_d24fad.detection.encoding.intensity import CtWindow
    from napari_d24fad.detection.references.regions import Region

_THUMBNAIL_PX = 128


@dataclass(frozen=True, slots=True)
class SessionWork:
    """Examines each case as ``d24fad detect`` does.

    Attributes:
        references: File of the reference set.
        references_sha256: Of that file.
        abnormal: File of a set of abnormal examples; empty for none.
        abnormal_sha256: Of that file.
        model: Name or file of the model.
        device: Name of the device.
        scoring: See `Request.scoring`; so for the next two.
        direction: Which way.
        ct_window: Low and high HU.
        resample: Whether series are resampled that are refused otherwise.
        show_identity: Whether rows name the scan, its month and its scanner.
        files: Whether map, overlay and report are written too.
        archive: Name of the archive that studies are fetched from; empty for none.
        studies: Folder that they are fetched to.
    """

    references: str = field(repr=False)
    references_sha256: str
    abnormal: str = field(default="", repr=False)
    abnormal_sha256: str = ""
    model: str = field(default="compact", repr=False)
    device: str = "auto"
    scoring: str | None = None
    direction: str | None = None
    ct_window: CtWindow | None = None
    resample: bool = False
    show_identity: bool = False
    files: bool = False
    archive: str = ""
    studies: str = field(default="", repr=False)

    def prepare(self) -> None:
        """See `Work.prepare`."""
        _bench(self)

    def examine(self, item: Item, key: str, salt: bytes, into: Path) -> Row:
        """See `Work.examine`."""
        bench = _bench(self)
        series = self._series(item, bench.references)
        found = bench.session.examine(series, bench.references, abnormal=bench.abnormal)
        case = Case.of(found)
        save_session([case.without_pixels()], into / SESSION_NAME, hashes=bench.hashes, private=True)
        if self.files:
            save(found, into)
        if not found.scan.may_show_identity or self.show_identity:
            _draw(found, into / THUMBNAIL_NAME)
        row = _row(found, item, key)
        made = acquired(series, salt)
        row = replace(row, month=made.month, scanner=made.scanner)
        if not self.show_identity:
            return row
        return replace(row, place=str(series.source), acquired=made.month_stated, station=made.station)

    def _series(self, item: Item, references: Sequence[Series]) -> Series:
        place = Path(item.place)
        if item.study:
            place = fetched_study(self.archive, item.study, Path(self.studies))
        study = open_study(place, show_identity=self.show_identity)
        rows = study.rows_to_load(resample=self.resample)
        if item.series > len(rows):
            raise StudyError(Code.NO_IMAGES, f"There is no series {item.series}; there are {len(rows)}.")
        row = rows[item.series - 1] if item.series else _only_one(rows, references)
        series = chosen(row, item.volume or None)
        if series.refusal is not None:
            raise StudyError(series.refusal.code, series.refusal.detail)
        return series


@dataclass(frozen=True, slots=True)
class _Bench:
    """What a process has loaded."""

    session: Session
    references: tuple[Series, ...]
    abnormal: tuple[Series, ...]
    hashes: ContentHashes = field(default_factory=ContentHashes)


_benches: dict[SessionWork, _Bench] = {}
"""One at most: the work that this process did last."""


def _bench(work: SessionWork) -> _Bench:
    if work not in _benches:
        _benches.clear()
        references = open_set(work.references, work.references_sha256)
        abnormal = open_set(work.abnormal, work.abnormal_sha256) if work.abnormal else ()
        session = Session(
            work.model,
            work.device,
            scoring=work.scoring,
            direction=work.direction,
            ct_window=work.ct_window,
            spare=0,
        )
        session.prepare(references[0], references, abnormal=abnormal)
        _benches[work] = _Bench(session, references, abnormal)
    return _benches[work]


def file_sha256(path: str) -> str:
    """Returns the SHA-256 of a file.

    Raises:
        StudyError: ``PATH_UNREADABLE``.
    """
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        raise StudyError(Code.PATH_UNREADABLE, "It is the file of a reference set.") from None


def open_set(path: str, sha256: str) -> tuple[Series, ...]:
    """Opens a reference set that must be the one the cohort was begun with.

    Raises:
        CohortError: ``COHORT_DIFFERS``.
        D24fadError: See `open_reference_set`.
    """
    from napari_d24fad.session.saved.reference_sets import open_reference_set

    if file_sha256(path) != sha256:
        raise CohortError(Code.COHORT_DIFFERS, "The file of the references has changed.")
    return open_reference_set(Path(path))


def _only_one(rows: Sequence[Sequence[Series]], references: Sequence[Series]) -> Sequence[Series]:
    """Returns the only series of a place, or the only one of several that fits the references."""
    if len(rows) == 1:
        return rows[0]
    fitting = [row for row in rows if any(_fits(each, references) for each in row)]
    if len(fitting) != 1:
        told = f"Of {len(rows)} series {len(fitting)} fit the references; the column series names one."
        raise StudyError(Code.SEVERAL_SERIES, told)
    return fitting[0]


def _fits(series: Series, references: Sequence[Series]) -> bool:
    if series.refusal is not None:
        return False
    try:
        check_pairing(series.unread(), [each.unread() for each in references])
    except PairingError:
        return False
    return True


def _draw(found: Examination, path: Path) -> None:
    """Draws the most suspicious slice."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    from napari_d24fad.export.notice import NOTICE
    from napari_d24fad.export.overlay import draw_small

    for index in found.anomaly.most_suspicious(1):
        window = found.request.window
        picture = draw_small(found.scan, found.anomaly, index, longest=_THUMBNAIL_PX, ct_window=window)
        told = PngInfo()
        told.add_text("Comment", NOTICE)
        Image.fromarray(picture).save(path, pnginfo=told, optimize=True)


def _row(found: Examination, item: Item, key: str) -> Row:
    anomaly, scan = found.anomaly, found.scan
    unit, sizes = _sizes(anomaly.regions)
    above = share_above(anomaly, anomaly.level_one_region)
    return Row(
        case=key,
        number=item.number,
        score=float(anomaly.score),
        p_value=float(anomaly.p_value),
        p_floor=float(anomaly.p_floor),
        references=len(anomaly.reference_scores),
        regions=len(anomaly.regions),
        sizes=sizes,
        size_unit=unit,
        above=float("nan") if above is None else above,
        label=found.request.query.label,
        modality=scan.modality,
        warnings=tuple(sorted({each.code.code for each in (*anomaly.warnings, *scan.problems)})),
        scoring=" ".join(filter(None, (anomaly.scoring, anomaly.plan))),
        model=anomaly.model_name,
        model_sha256=anomaly.model_sha256,
        device=anomaly.device,
        version=__version__,
        torch=metadata.version("torch"),
    )


def _sizes(regions: Sequence[Region]) -> tuple[str, tuple[float, ...]]:
    """Returns the sizes of regions and what they are in, by what is known of all."""
    volumes = [each.volume_mm3 for each in regions if each.volume_mm3 is not None]
    if len(volumes) == len(regions):
        return ("mm3" if regions else ""), tuple(round(each, 1) for each in volumes)
    areas = [each.area_mm2 for each in regions if each.area_mm2 is not None]
    if len(areas) == len(regions):
        return "mm2", tuple(round(each, 1) for each in areas)
    return "pixels", tuple(float(each.n_voxels) for each in regions)
