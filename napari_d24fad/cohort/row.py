"""A row of the table: what came of one case, without who it is."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any

_NAN = float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What came of a case.

    Attributes:
        case: Its hash.
        number: Its place in the list, from 1.
        code: Why there is no result; empty if there is one.
        text: The same in words.
        score: Of the scan, higher is more unusual; NaN without a result, so for the others.
        p_value: Conformal p-value of the scan, see `detection.references.calibration.conformal_p`.
        p_floor: The lowest that so many references can show.
        references: How many references it was compared with.
        regions: How many regions are listed.
        sizes: Of each region by rank: mm3 of volumes, mm2 of images, pixels without geometry.
        size_unit: ``"mm3"``, ``"mm2"`` or ``"pixels"``.
        above: Share of what was examined above the level of one false region, 0 to 1.
        label: What the scan is, without identity.
        modality: DICOM Modality (0008,0060).
        warnings: Codes of what must be known of the result.
        seconds: From its start to its end on the worker.
        scoring: How the map was scored, and by which plan.
        model: Name of the model.
        model_sha256: Of its file.
        device: Where it was computed.
        version: Of this tool.
        torch: Version of torch.
        node: The machine, by a hash of its name.
        attempts: How often it was begun.
        month: Months of the acquisition from a month that only the cohort knows; None if not stated.
        scanner: Hash of manufacturer, model and station; empty if not stated.
        place: Where the scan is; only where identity was asked for, so for the others.
        acquired: Month of acquisition, YYYY-MM.
        station: Manufacturer, model, station and institution.
    """

    case: str
    number: int
    code: str = ""
    text: str = ""
    score: float = _NAN
    p_value: float = _NAN
    p_floor: float = _NAN
    references: int = 0
    regions: int = 0
    sizes: tuple[float, ...] = ()
    size_unit: str = ""
    above: float = _NAN
    label: str = ""
    modality: str = ""
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0
    scoring: str = ""
    model: str = ""
    model_sha256: str = ""
    device: str = ""
    version: str = ""
    torch: str = ""
    node: str = ""
    attempts: int = 1
    month: int | None = None
    scanner: str = ""
    place: str = field(default="", repr=False)
    acquired: str = field(default="", repr=False)
    station: str = field(default="", repr=False)

    @property
    def is_examined(self) -> bool:
        """Whether there is a result."""
        return not self.code

    def as_json(self) -> str:
        """Returns the row as JSON; a number that there is not is null."""
        told = {
            name: None if isinstance(value, float) and not math.isfinite(value) else value
            for name, value in asdict(self).items()
        }
        return json.dumps(told, ensure_ascii=False, allow_nan=False)

    @classmethod
    def read(cls, text: str) -> Row:
        """Reads what `as_json` wrote; what is not known is ignored.

        Raises:
            ValueError: It is something else; so for the others.
            TypeError: A value is missing.
        """
        told: dict[str, Any] = json.loads(text)
        numbers = {each.name for each in fields(cls) if each.type == "float"}
        known = {each.name for each in fields(cls)}
        values = {name: value for name, value in told.items() if name in known}
        values |= {name: _NAN for name in numbers if values.get(name, 0.0) is None}
        for name in ("sizes", "warnings"):
            values[name] = tuple(values.get(name, ()))
        return cls(**values)
