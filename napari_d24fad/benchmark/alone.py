"""A teacher alone, as models without a student use it: how long one image takes."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from statistics import median
from time import process_time

import torch

from napari_d24fad.benchmark.operations import operations
from napari_d24fad.benchmark.product import now
from napari_d24fad.detection.encoding.encoder import BATCH, CPU_BATCH
from napari_d24fad.network.d24fad import build_network
from napari_d24fad.network.inference import PRECISIONS, Precision, for_inference
from napari_d24fad.network.rounding import whole_float32
from napari_d24fad.progress import CancelToken, Progress


@dataclass(frozen=True, slots=True)
class TeacherSpeed:
    """How fast a teacher is, on batches of the size that the product takes on this device.

    Attributes:
        teacher: Its name.
        size: Side of the images in pixels.
        device: Where it ran, such as ``"cpu, 2 threads"``.
        date: Day of the measurement, ISO 8601.
        gflop: Billions of operations for one image.
        milliseconds: For one image by precision, median over the repeats.
        processor: The same of processor time, of all threads together: what other programs do to the
            first does nothing to it. On a GPU that of the processor beside it.
    """

    teacher: str
    size: int
    device: str
    date: str
    gflop: float
    milliseconds: dict[Precision, float]
    processor: dict[Precision, float]


@torch.inference_mode()
def measure_teacher(
    teacher: str,
    size: int,
    repeats: int,
    device: torch.device,
    named: tuple[str, str],
    progress: Progress,
    cancel: CancelToken,
) -> TeacherSpeed:
    """Measures a teacher with random weights, which are as fast as trained ones and need no download.

    Args:
        teacher: Its name.
        size: Side of the images in pixels.
        repeats: How often each precision is measured, after one round that is not.
        device: Where it runs.
        named: What people call the device, and the day.
        progress: Told how far it is.
        cancel: Stops it.

    Raises:
        ModelError: MODEL_MISMATCH for an unknown teacher.
        ArgumentError: BAD_ARGUMENT if it does not take images of this side.
        Cancelled: If a stop was asked for.
    """
    torch.manual_seed(0)
    network = build_network(teacher, student=False).to(device)
    batch = CPU_BATCH if device.type == "cpu" else BATCH
    images = torch.rand(batch, 3, size, size, device=device)
    found: dict[Precision, float] = {}
    busy: dict[Precision, float] = {}
    for number, precision in enumerate(PRECISIONS):
        fast = for_inference(network, precision).teacher
        dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
        seconds, worked = [], []
        for repeat in range(repeats + 1):
            cancel.check()
            started, began = now(device), process_time()
            with whole_float32() if precision == "exact" else nullcontext():
                fast(images.to(dtype))
            if repeat:
                seconds.append(now(device) - started)
                worked.append(process_time() - began)
            progress((number + (repeat + 1) / (repeats + 1)) / len(PRECISIONS), "Measuring the teacher")
        found[precision] = 1000 * median(seconds) / batch
        busy[precision] = 1000 * median(worked) / batch
    return TeacherSpeed(teacher, size, *named, operations(network, size) / 1e9, found, busy)


def teacher_text(measured: TeacherSpeed) -> str:
    """Returns a table in Markdown."""
    lines = [
        f"{measured.teacher} alone, {measured.size} x {measured.size} px, {measured.device}, "
        f"{measured.date}; {measured.gflop:.2f} GFLOP per image",
        "",
        "| precision | ms per image | GFLOP/s | ms of processor time |",
        "|---|---|---|---|",
        *(
            f"| {precision} | {took:.1f} | {1000 * measured.gflop / took:.0f} "
            f"| {measured.processor[precision]:.1f} |"
            for precision, took in measured.milliseconds.items()
        ),
    ]
    return "\n".join(lines)
