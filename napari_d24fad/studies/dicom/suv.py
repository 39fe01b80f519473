"""Standardised uptake values (SUV) of PET by body weight, by the formula of QIBA.

SUVbw = activity concentration [Bq/mL] * weight [g] / (injected dose [Bq], decayed to the time that the
images are corrected to). https://qibawiki.rsna.org/index.php/Standardized_Uptake_Value_(SUV)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from pydicom.dataset import Dataset

from napari_d24fad.studies.dicom.pet import (
    GE_CREATOR,
    GE_SCAN_TIME,
    PHILIPS_ACTIVITY,
    PHILIPS_CREATOR,
    PHILIPS_SUV,
)
from napari_d24fad.studies.dicom.values import items, number, text

# What is the same in all slices of one scan.
_OF_A_SCAN = ("Units", "SUVType", "DecayCorrection", "PatientWeight", "SeriesDate", "SeriesTime")
_OF_AN_INJECTION = (
    "RadionuclideTotalDose",
    "RadionuclideHalfLife",
    "RadiopharmaceuticalStartDateTime",
    "RadiopharmaceuticalStartTime",
)
# What can be: from a mouse to the heaviest patient in kg, from a mouse's dose to a therapy's in Bq, and
# from rubidium to zirconium in seconds.
_WEIGHTS, _DOSES, _HALF_LIVES = (0.01, 500.0), (1e5, 1e11), (10.0, 1e7)
_DAY = timedelta(days=1)
# A time of injection without its day is that of the day before the scan at most.
_TIME_IS_ENOUGH = 0.25
_MOST_HALF_LIVES = 20


class NoSuvError(Exception):
    """Why values cannot be turned into SUV, in one sentence."""


def suv_factor(slices: Sequence[Dataset]) -> float:
    """Returns what the values of a PET series, after their rescale, are multiplied with to be SUVbw.

    Args:
        slices: What the header of each slice states, see `pet`. Read are Units (0054,1001), SUV Type
            (0054,1006), Corrected Image (0028,0051), Decay Correction (0054,1102) or its DateTime
            (0018,9701), Patient's Weight (0010,1030), those of Radiopharmaceutical Information Sequence
            (0054,0016) and the times of series and acquisition; of Philips (7053,1000) and (7053,1009),
            of GE (0009,100D).

    Raises:
        NoSuvError: The headers do not allow it; says why.
    """
    first = slices[0]
    if any(_stated(one) != _stated(first) for one in slices[1:]):
        raise NoSuvError("Its slices state different units, doses, weights or times.")
    units = text(first, "Units").upper()
    if units == "GML":
        kind = text(first, "SUVType").upper()
        if kind not in ("", "BW"):
            raise NoSuvError("Its SUV are normalised to something else than body weight.")
        return 1.0
    if not units:
        raise NoSuvError("The unit of its values is not stated.")
    if units == "CNTS":
        return _philips(slices)
    if units != "BQML":
        raise NoSuvError("Its values are neither Bq/ml nor SUV.")
    return _from_activity(slices)


def _stated(header: Dataset) -> list[str]:
    injections = items(header, "RadiopharmaceuticalInformationSequence")
    own = [text(header, name) for name in _OF_A_SCAN]
    return own + [text(one, name) for one in injections for name in _OF_AN_INJECTION]


def _philips(slices: Sequence[Dataset]) -> float:
    """Values are counts; private attributes of Philips tell what makes SUV or Bq/ml of them."""
    header = slices[0]
    if not text(header, PHILIPS_CREATOR).lower().startswith("philips"):
        raise NoSuvError("Its values are counts.")
    factor = number(header, PHILIPS_SUV) or 0.0
    if factor > 0:
        return factor
    activity = number(header, PHILIPS_ACTIVITY) or 0.0
    if activity > 0:
        return activity * _from_activity(slices)
    raise NoSuvError("Its values are counts, and what makes SUV of them is not stated.")


def _from_activity(slices: Sequence[Dataset]) -> float:
    """Returns the factor for values in Bq/ml."""
    header = slices[0]
    corrected = set(text(header, "CorrectedImage").upper().split("\\"))
    if "ATTN" not in corrected:
        raise NoSuvError("It does not say that it is corrected for attenuation.")
    reference = text(header, "DecayCorrection").upper()
    if reference not in ("START", "ADMIN"):
        raise NoSuvError("It is not corrected for decay, or does not say to which time.")
    if corrected.isdisjoint(("DECY", "DECAY")):
        raise NoSuvError("It does not say that it is corrected for decay.")
    weight = _within(number(header, "PatientWeight"), _WEIGHTS, "The weight of the patient")
    injections = items(header, "RadiopharmaceuticalInformationSequence")
    if len(injections) != 1:
        raise NoSuvError("It does not tell of one injection.")
    dose = _within(number(injections[0], "RadionuclideTotalDose"), _DOSES, "The injected dose")
    if reference == "ADMIN":
        return 1000 * weight / dose
    half_life = _within(number(injections[0], "RadionuclideHalfLife"), _HALF_LIVES, "The half-life")
    scanned = _date_time(text(header, "DecayCorrectionDateTime"), header)
    scanned = _scan_time(slices, half_life) if scanned is None else scanned
    seconds = (scanned - _injection(injections[0], header, scanned, half_life)).total_seconds()
    if not 0 <= seconds <= _MOST_HALF_LIVES * half_life:
        raise NoSuvError("The times of injection and scan contradict each other.")
    return float(1000 * weight / (dose * 2 ** (-seconds / half_life)))


def _within(value: float | None, allowed: tuple[float, float], what: str) -> float:
    if not value:
        raise NoSuvError(f"{what} is not stated.")
    if not allowed[0] <= value <= allowed[1]:
        raise NoSuvError(f"{what} is not plausible.")
    return value


def _scan_time(slices: Sequence[Dataset], half_life: float) -> datetime:
    """Returns the time that a series is decay corrected to, if that is its start.

    Series Time where it is not after the first acquisition of all slices; else the series was made later,
    and GE's own time of the scan counts, or what Frame Reference Time tells, which counts from that time
    to the moment of the frame at which it had its mean activity.
    """
    times = [_moment(one, "AcquisitionDate", "AcquisitionTime") for one in slices]
    stated = [time for time in times if time is not None]
    if len(stated) < len(slices):
        raise NoSuvError("The time of acquisition is not stated.")
    acquired = min(stated)
    header = slices[times.index(acquired)]
    series = _moment(header, "SeriesDate", "SeriesTime")
    if series is not None and series <= acquired:
        return series
    if text(header, GE_CREATOR).startswith("GEMS_PETD"):
        begun = _date_time(text(header, GE_SCAN_TIME), header)
        if begun is not None and begun <= acquired:
            return begun
    since, duration = number(header, "FrameReferenceTime"), number(header, "ActualFrameDuration")
    if since is None or not duration or since < 0 or duration < 0:
        raise NoSuvError("The series was made after the scan, and the time of the scan is not stated.")
    decay = math.log(2) / half_life
    lost = decay * duration / 1000
    mean = math.log(lost / -math.expm1(-lost)) / decay
    return acquired + timedelta(seconds=mean - since / 1000)


def _injection(injection: Dataset, header: Dataset, scanned: datetime, half_life: float) -> datetime:
    """Returns the time of injection; of a time without its day, the last before the scan."""
    stated = _date_time(text(injection, "RadiopharmaceuticalStartDateTime"), header)
    if stated is not None:
        return stated
    time = _time(text(injection, "RadiopharmaceuticalStartTime"))
    if time is None:
        raise NoSuvError("The time of injection is not stated.")
    if half_life > _TIME_IS_ENOUGH * _DAY.total_seconds():
        raise NoSuvError("The day of injection is not stated.")
    at = datetime.combine(scanned.date(), datetime.min.time()) + time
    return at if at <= scanned else at - _DAY


def _moment(header: Dataset, date: str, time: str) -> datetime | None:
    try:
        day = datetime.strptime(text(header, date).replace(".", ""), "%Y%m%d")
    except ValueError:
        return None
    since = _time(text(header, time))
    return None if since is None else day + since


def _time(stated: str) -> timedelta | None:
    """Reads a time (TM) such as ``"093015.250"``; None if there is none."""
    whole, _, fraction = stated.replace(":", "").partition(".")
    whole = whole.ljust(6, "0") if len(whole) in (2, 4) else whole
    if len(whole) != 6 or not whole.isdecimal() or (fraction and not fraction.isdecimal()):
        return None
    hours, minutes, seconds = int(whole[:2]), int(whole[2:4]), int(whole[4:])
    if hours > 23 or minutes > 59 or seconds > 60:
        return None
    return timedelta(hours=hours, minutes=minutes, seconds=seconds + float(f"0.{fraction or 0}"))


def _date_time(stated: str, header: Dataset) -> datetime | None:
    """Reads a date and time (DT) in the time zone of the other times; None if there is none.

    Raises:
        NoSuvError: It is of a time zone, and that of the other times is not stated.
    """
    sign = next((each for each in "+-" if each in stated), "")
    moment, _, zone = stated.partition(sign) if sign else (stated, "", "")
    time = _time(moment[8:]) if len(moment) > 8 else None
    try:
        day = datetime.strptime(moment[:8], "%Y%m%d")
    except ValueError:
        return None
    if time is None:
        return None
    if not zone:
        return day + time
    own = text(header, "TimezoneOffsetFromUTC")
    if not own:
        raise NoSuvError("The time zone of the scan is not stated.")
    return day + time + _offset(own) - _offset(sign + zone)


def _offset(zone: str) -> timedelta:
    digits = zone[1:]
    if len(digits) != 4 or not digits.isdecimal() or zone[0] not in "+-":
        raise NoSuvError("A time zone is not valid.")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return offset if zone[0] == "+" else -offset
