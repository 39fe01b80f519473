"""What was measured, as text, as JSON and as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from napari_d24fad.atomic import atomic_file
from napari_d24fad.benchmark.images import ENGINE, FLOOR, PUBLISHED, ImageSpeed
from napari_d24fad.benchmark.volume import VolumeSpeed


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Everything that was measured in one process.

    Attributes:
        teacher: Architecture of the network.
        size: Side of the images in pixels.
        device: Where it ran, such as ``"cpu, 2 threads"``.
        date: Day of the measurement, ISO 8601.
        gflop: Billions of operations of teacher and student for one image.
        product_gflops: Rate of a large matrix product, by precision, in GFLOP/s.
        images: Single images.
        volume: A volume; None if it was not measured.
        heads: Heads by CT; None if they were not measured.
        memory_mib: Highest memory of the device, or resident memory.
    """

    teacher: str
    size: int
    device: str
    date: str
    gflop: float
    product_gflops: dict[str, float]
    images: tuple[ImageSpeed, ...]
    volume: VolumeSpeed | None
    heads: VolumeSpeed | None
    memory_mib: float


def as_dict(measured: Benchmark) -> dict[str, Any]:
    """Returns the measurement for JSON."""
    return asdict(measured)


def as_text(measured: Benchmark) -> str:
    """Returns tables in Markdown, which read well in a terminal too."""
    lines = [
        f"{measured.teacher}, {measured.size} x {measured.size} px, {measured.device}, {measured.date}; "
        f"{measured.gflop:.2f} GFLOP per image; memory {measured.memory_mib:.0f} MiB",
        "",
        "| way | precision | references | ms per image | images/s | times published | of the network alone "
        "| GFLOP/s (of a matrix product) | first map, ms | largest difference | same order |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
        *(_row(each, measured) for each in measured.images),
    ]
    if measured.volume is not None:
        volume = measured.volume
        title = f"A CT of {volume.slices} slices of 512 x 512, as many in each of 8 references"
        lines += ["", *_volume_lines(title, volume)]
    if measured.heads is not None:
        title = f"Heads by CT of 30 slices of 512 x 512, one of 8 references of {measured.heads.slices}"
        lines += ["", *_volume_lines(title, measured.heads)]
    return "\n".join(lines)


def draw(measured: Benchmark, path: Path) -> None:
    """Draws images per second by the number of references as a PNG.

    Raises:
        ExportError: CANNOT_WRITE.
    """
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator

    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    shots = sorted({each.shots for each in measured.images if each.shots})
    for name, precision in dict.fromkeys((each.name, each.precision) for each in measured.images):
        chosen = [each for each in measured.images if (each.name, each.precision) == (name, precision)]
        rates = [1 / each.seconds for each in chosen]
        if name == FLOOR:
            axes.plot(shots, rates * len(shots), "--", color=_COLOURS[precision], alpha=0.6)
        else:
            label = name if name == PUBLISHED else f"{name}, {precision}"
            colour = "0.4" if name == PUBLISHED else _COLOURS[precision]
            axes.plot([each.shots for each in chosen], rates, "o-", color=colour, label=label)
    axes.set(xlabel="references", ylabel="images per second", yscale="log", xticks=shots)
    axes.set_title(f"{measured.teacher}, {measured.size} px, {measured.device}\ndashed: the network alone")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_locator(LogLocator(subs=(2, 3, 5)))  # all nine would lie on top of each other
    axes.yaxis.set_minor_formatter("{x:g}")
    figure.legend(loc="outside right upper")
    with atomic_file(path) as temporary:
        figure.savefig(temporary, dpi=150, format="png")


_COLOURS = {"exact": "tab:blue", "float32": "tab:green", "bfloat16": "tab:orange"}


def _row(each: ImageSpeed, measured: Benchmark) -> str:
    published = _find(measured.images, PUBLISHED, "exact", each.shots)
    floor = _find(measured.images, FLOOR, "exact", 0)
    rate = measured.gflop / each.seconds
    product = measured.product_gflops.get("bfloat16" if each.precision == "bfloat16" else "float32", 0.0)
    of_product = f"{rate:.0f} ({rate / product:.0%})" if each.name != PUBLISHED and product else ""
    cells = [
        each.name,
        each.precision,
        str(each.shots or ""),
        f"{1000 * each.seconds:.2f}",
        f"{1 / each.seconds:.1f}",
        f"{published.seconds / each.seconds:.1f}" if published is not None else "",
        f"{floor.seconds / each.seconds:.2f}" if floor is not None else "",
        of_product,
        "" if each.first is None else f"{1000 * each.first:.0f}",
        f"{each.difference:.1e}" if each.difference is not None and each.name == ENGINE else "",
        {True: "yes", False: "no", None: ""}[each.same_order if each.name == ENGINE else None],
    ]
    return f"| {' | '.join(cells)} |"


def _volume_lines(title: str, volume: VolumeSpeed) -> list[str]:
    lines = [
        f"{title}, model {volume.model}; highest memory above the imports: {volume.memory_mib:.0f} MiB",
        "",
        "| step | seconds | processor seconds | asked of two cores |",
        "|---|---|---|---|",
    ]
    return lines + [
        f"| {step.name} | {step.seconds:.3g} | {'' if step.processor is None else f'{step.processor:.3g}'} "
        f"| {'' if step.asked is None else f'{step.asked:g}'} |"
        for step in volume.steps
    ]


def _find(images: Sequence[ImageSpeed], name: str, precision: str, shots: int) -> ImageSpeed | None:
    return next((e for e in images if (e.name, e.precision, e.shots) == (name, precision, shots)), None)
