"""What stored pixels mean: rescale, sign, padding, colour."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import DigitalXRayImageStorageForPresentation, JPEGBaseline8Bit, SecondaryCaptureImageStorage

from napari_d24fad.errors import Code
from napari_d24fad.studies.scan import Photometric
from tests.studies import phantom
from tests.studies.corpus.build import GRID, changed, even, positions, slices, volume, written
from tests.studies.corpus.case import Case, Picture, Refused, Volume

NOISE = np.random.default_rng(11)
_COLOURS = NOISE.integers(0, 256, (*GRID, 3), dtype=np.uint8)
_PADDED = 5


def _stored(dataset: Dataset, dtype: type = np.int16) -> np.ndarray:
    return np.frombuffer(dataset.PixelData, dtype).copy()


def _rescale_each() -> list[Dataset]:
    places = positions(even())
    return [
        slices(places, rescale=(0.25 + index / 16, 10.0 * index - 100))[index] for index in range(GRID[0])
    ]


def _twelve_bits(dataset: Dataset, index: int) -> None:
    """Signed values in the low twelve bits; the others hold something else."""
    pixels = _stored(dataset)
    dataset.PixelData = ((pixels & 0x0FFF) | (index << 12)).astype(np.uint16).tobytes()
    dataset.BitsStored, dataset.HighBit = 12, 11


def _pad(dataset: Dataset, index: int) -> None:
    pixels = _stored(dataset)
    pixels[:_PADDED] = -32000
    dataset.PixelData = pixels.tobytes()
    dataset.PixelPaddingValue = -32000


def _pad_range(dataset: Dataset, index: int) -> None:
    pixels = _stored(dataset)
    pixels[:_PADDED] = np.arange(-32000, -32000 + _PADDED)
    dataset.PixelData = pixels.tobytes()
    dataset.PixelPaddingValue, dataset.PixelPaddingRangeLimit = -32000, -31990


def _declare_padding(dataset: Dataset, index: int) -> None:
    dataset.PixelPaddingValue = -32000


_POSITIVE = positions(even(), origin=(20, 20, 40))


def _modality_lut() -> list[Dataset]:
    """A table in place of slope and intercept, which can hold positive values only."""
    datasets = slices(_POSITIVE)
    for dataset in datasets:
        values = _stored(dataset)
        table = Dataset()
        table.add_new("LUTDescriptor", "US", [int(np.ptp(values)) + 1, 0, 16])
        table.ModalityLUTType = "US"
        table.add_new("LUTData", "US", list(range(int(values.min()), int(values.max()) + 1)))
        dataset.ModalityLUTSequence = [table]
        dataset.PixelData = (values - values.min()).astype(np.uint16).tobytes()
        dataset.PixelRepresentation = 0
    return datasets


def _windows(dataset: Dataset, index: int) -> None:
    dataset.WindowCenter, dataset.WindowWidth = "40", str(100 + index)
    dataset.PresentationLUTShape = "IDENTITY"


def _inverse(dataset: Dataset, index: int) -> None:
    dataset.PhotometricInterpretation = "MONOCHROME1"


def _real_world_map(dataset: Dataset, index: int) -> None:
    mapping, unit = Dataset(), Dataset()
    unit.CodeValue, unit.CodingSchemeDesignator, unit.CodeMeaning = "1", "UCUM", "no units"
    mapping.RealWorldValueFirstValueMapped, mapping.RealWorldValueLastValueMapped = -32768, 32767
    mapping["RealWorldValueFirstValueMapped"].VR = mapping["RealWorldValueLastValueMapped"].VR = "SS"
    mapping.RealWorldValueIntercept, mapping.RealWorldValueSlope = 3.0, 7.0
    mapping.MeasurementUnitsCodeSequence = [unit]
    mapping.LUTLabel = mapping.LUTExplanation = "other units"
    dataset.RealWorldValueMappingSequence = [mapping]


def _cut(folder: Path) -> None:
    paths = phantom.write_series(folder, slices(positions(even())))
    paths[3].write_bytes(paths[3].read_bytes()[:-10])


def _longer(dataset: Dataset, index: int) -> None:
    dataset.PixelData += bytes(64)


def _floats(name: str, dtype: type) -> Callable[[], list[Dataset]]:
    """Floating point pixels, as in parametric maps, exact to their precision."""

    def make() -> list[Dataset]:
        datasets = slices(positions(even()))
        for dataset in datasets:
            setattr(dataset, name, _stored(dataset).astype(dtype).tobytes())
            for gone in ("PixelData", "BitsStored", "HighBit", "PixelRepresentation"):
                delattr(dataset, gone)
            dataset.BitsAllocated = 8 * np.dtype(dtype).itemsize
        return datasets

    return make


def _coloured() -> list[Dataset]:
    datasets = []
    for place, pixels in zip(slices(positions(even())), _COLOURS, strict=True):
        dataset = phantom.image_dataset(pixels, series_uid=place.SeriesInstanceUID)
        for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "InstanceNumber"):
            setattr(dataset, name, getattr(place, name))
        datasets.append(dataset)
    return datasets


def _picture(pixels: np.ndarray, **attributes: object) -> Callable[[Path], None]:
    def build(folder: Path) -> None:
        dataset = phantom.image_dataset(pixels, sop_class=SecondaryCaptureImageStorage, modality="US")
        dataset.BurnedInAnnotation = "NO"
        for name, value in attributes.items():
            setattr(dataset, name, value)
        phantom.save(dataset, folder / "picture")

    return build


def _ybr(colours: np.ndarray) -> np.ndarray:
    # PS3.3 C.7.6.3.1.2
    matrix = np.array([[0.299, 0.587, 0.114], [-0.1687, -0.3313, 0.5], [0.5, -0.4187, -0.0813]])
    return np.clip(np.round(colours @ matrix.T + [0, 128, 128]), 0, 255).astype(np.uint8)


_SMOOTH = (
    np.stack(np.broadcast_arrays(*np.ogrid[40:200:16j, 200:40:16j], 90), axis=-1).round().astype(np.uint8)
)
_PAIRS = np.repeat(_SMOOTH[:, ::2], 2, axis=1)  # chroma is stored once for two pixels
_422 = _ybr(_PAIRS).reshape(16, 8, 2, 3)
_422_BYTES = np.stack([_422[..., 0, 0], _422[..., 1, 0], _422[..., 0, 1], _422[..., 0, 2]], axis=-1).tobytes()


def _jpeg(folder: Path) -> None:
    picture = io.BytesIO()
    Image.fromarray(_SMOOTH).save(picture, "JPEG", quality=100, subsampling=0)
    dataset = phantom.image_dataset(_SMOOTH, sop_class=SecondaryCaptureImageStorage, modality="US")
    dataset.BurnedInAnnotation = "NO"
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.PhotometricInterpretation = "YBR_FULL_422"
    dataset.PixelData = encapsulate([picture.getvalue()])
    dataset["PixelData"].VR = "OB"
    phantom.save(dataset, folder / "jpeg")


def _palette(bits: int) -> Callable[[Path], None]:
    def build(folder: Path) -> None:
        dataset = phantom.image_dataset(np.array([[0, 1], [2, 1]], np.uint8), photometric="PALETTE COLOR")
        dataset.Modality = "US"
        dataset.BurnedInAnnotation = "NO"
        for order, colour in enumerate(("Red", "Green", "Blue")):
            entries = np.array([0, 0x40 * (order + 1), 0xFF])
            table = (entries * 257).astype(np.uint16) if bits == 16 else entries.astype(np.uint8)
            setattr(dataset, f"{colour}PaletteColorLookupTableDescriptor", [3, 0, bits])
            data = table.tobytes()
            setattr(dataset, f"{colour}PaletteColorLookupTableData", data + bytes(len(data) % 2))
        phantom.save(dataset, folder / "palette")

    return build


_PALETTE = np.array([[[0, 0, 0], [0x40, 0x80, 0xC0]], [[255, 255, 255], [0x40, 0x80, 0xC0]]])
_RADIOGRAPH = NOISE.integers(0, 4096, (8, 12)).astype(np.uint16)


def _radiograph(folder: Path) -> None:
    dataset = phantom.image_dataset(
        _RADIOGRAPH,
        sop_class=DigitalXRayImageStorageForPresentation,
        modality="DX",
        photometric="MONOCHROME1",
    )
    dataset.BitsStored, dataset.HighBit = 12, 11
    dataset.PresentationLUTShape = "INVERSE"
    dataset.ImagerPixelSpacing = ["0.2", "0.1"]
    phantom.save(dataset, folder / "dx")


_PADDING = volume(problems=(Code.PADDING,), padding=_PADDED * GRID[0])
_COLOUR_VOLUME = Volume(volume().affine, GRID, values=_COLOURS, tolerance=0)


def _even(
    name: str, change: Callable[[Dataset, int], object], expected: Volume | Refused, **options: object
) -> Case:
    return Case(name, written(changed(change, **options)), (expected,))


CASES = (
    Case(
        "rescale slope and intercept",
        written(lambda: slices(positions(even()), rescale=(0.25, -1024))),
        (volume(tolerance=0.13),),
    ),
    Case("another rescale for each slice", written(_rescale_each), (volume(tolerance=0.35),)),
    Case(
        "negative rescale slope",
        written(lambda: slices(positions(even()), rescale=(-0.5, 100))),
        (volume(tolerance=0.26),),
    ),
    _even("signed twelve bits, high bits in use", _twelve_bits, volume()),
    Case(
        "eight bits",
        written(lambda: slices(positions(even()), rescale=(1, -700), dtype=np.uint8)),
        (volume(),),
    ),
    Case(
        "thirty-two bits",
        written(lambda: slices(positions(even()), rescale=(1e-3, 0), dtype=np.int32)),
        (volume(tolerance=0.01),),
    ),
    Case("a modality look-up table", written(_modality_lut), (volume(places=_POSITIVE),)),
    _even("windows and presentation shape", _windows, volume()),
    _even("a real-world value map beside the rescale", _real_world_map, volume()),
    _even("MONOCHROME1 in a volume", _inverse, volume()),
    _even("padding value", _pad, _PADDING),
    _even("padding range", _pad_range, _PADDING),
    _even("padding declared but absent", _declare_padding, volume()),
    Case("single precision pixels", written(_floats("FloatPixelData", np.float32)), (volume(),)),
    Case("double precision pixels", written(_floats("DoubleFloatPixelData", np.float64)), (volume(),)),
    Case("a truncated slice", _cut, (Refused(Code.TRUNCATED),)),
    _even("bytes after the pixels", _longer, volume()),
    Case("colour volume", written(_coloured), (_COLOUR_VOLUME,)),
    Case(
        "MONOCHROME1 radiograph", _radiograph, (Picture(_RADIOGRAPH, photometric=Photometric.BRIGHT_TO_DARK),)
    ),
    Case("RGB", _picture(_COLOURS[0]), (Picture(_COLOURS[0]),)),
    Case(
        "a secondary capture that does not deny burned-in text",
        _picture(_COLOURS[0], BurnedInAnnotation=""),
        (Picture(_COLOURS[0], (Code.BURNED_IN,)),),
    ),
    Case(
        "RGB plane after plane",
        _picture(_COLOURS[0], PlanarConfiguration=1, PixelData=_COLOURS[0].transpose(2, 0, 1).tobytes()),
        (Picture(_COLOURS[0]),),
    ),
    Case("RGB of sixteen bits", _picture(_COLOURS[0].astype(np.uint16) * 257), (Picture(_COLOURS[0]),)),
    Case("RGB of thirty-two bits", _picture(_COLOURS[0].astype(np.uint32) << 24), (Picture(_COLOURS[0]),)),
    Case(
        "YBR_FULL",
        _picture(_ybr(_SMOOTH), PhotometricInterpretation="YBR_FULL"),
        (Picture(_SMOOTH, tolerance=2),),
    ),
    Case(
        "YBR_FULL_422",
        _picture(_PAIRS, PhotometricInterpretation="YBR_FULL_422", PixelData=_422_BYTES),
        (Picture(_PAIRS, tolerance=2),),
    ),
    Case("colour JPEG", _jpeg, (Picture(_SMOOTH, tolerance=4),)),
    Case("palette of sixteen bits", _palette(16), (Picture(_PALETTE),)),
    Case("palette of eight bits", _palette(8), (Picture(_PALETTE),)),
    Case(
        "unknown colour space",
        _picture(_COLOURS[0], PhotometricInterpretation="HSV"),
        (Refused(Code.CONTRADICTORY_PIXELS, "colour space"),),
        compared=False,
    ),
    Case(
        "one value everywhere",
        _picture(np.full((4, 4), 7, np.int16)),
        (Refused(Code.CONSTANT_IMAGE),),
        compared=False,
    ),
)
