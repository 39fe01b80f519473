"""``d24fad benchmark``: how fast it is here."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict, replace
from datetime import date
from pathlib import Path

from napari_d24fad.cli.arguments import Parser, add_device, add_json, count, counts
from napari_d24fad.cli.console import progress_bar, warn_of_device
from napari_d24fad.errors import ArgumentError, Code
from napari_d24fad.export.report import as_json
from napari_d24fad.network.teachers.architecture import teacher_spec
from napari_d24fad.progress import CancelToken, part

_USUAL_MULTIPLE = 32
"""What residual teachers take; their figures are stated for the paper's 128 pixels."""


def add_options(command: Parser) -> None:
    """Adds the options of ``benchmark``."""
    command.add_argument(
        "--teacher", default="resnet18", help="architecture of the network (default: resnet18)"
    )
    command.add_argument("--shots", type=counts, default=(2, 4, 8), metavar="N,N", help="default: 2,4,8")
    command.add_argument(
        "--size", type=count, metavar="PX", help="default: 128, or what the teacher takes alone"
    )
    command.add_argument("--repeats", type=count, default=5, metavar="N", help="default: 5")
    command.add_argument(
        "--volume",
        type=count,
        metavar="SLICES",
        help="also measure a CT of so many slices against eight such references, and heads by CT, with the "
        "embedded model",
    )
    command.add_argument(
        "--volume-teacher",
        action="store_true",
        help="measure that CT with the teacher of --teacher and random weights instead",
    )
    command.add_argument(
        "--disc",
        type=count,
        metavar="FILES",
        help="measure only how long it takes to list a disc of so many files",
    )
    command.add_argument(
        "--cases",
        type=count,
        metavar="N",
        help="measure only what a reading list of so many small images adds to each",
    )
    command.add_argument(
        "--alone", action="store_true", help="measure only how long the teacher takes, without a student"
    )
    command.add_argument("--plot", type=Path, metavar="PNG", help="also draw images per second")
    add_device(command)
    add_json(command)


def run(arguments: Namespace) -> None:
    """Measures, prints a table or JSON, and draws a picture if one was asked for.

    Raises:
        D24fadError: The model or the device is not there, or the picture cannot be written.
    """
    if arguments.disc:
        from napari_d24fad.benchmark.disc import disc_text, measure_disc

        with progress_bar() as progress:
            disc = measure_disc(arguments.disc, progress, CancelToken())
        print(as_json(asdict(disc)) if arguments.json else disc_text(disc))
        return
    if arguments.cases:
        from napari_d24fad.benchmark.cases import cases_text, measure_cases

        with progress_bar() as progress:
            cases = measure_cases(arguments.cases, arguments.device, progress, CancelToken())
        print(as_json(asdict(cases)) if arguments.json else cases_text(cases))
        return
    size = _size(arguments)
    # These import torch.
    import torch

    from napari_d24fad.benchmark.alone import measure_teacher, teacher_text
    from napari_d24fad.benchmark.heads import measure_heads
    from napari_d24fad.benchmark.images import measure_images
    from napari_d24fad.benchmark.operations import operations
    from napari_d24fad.benchmark.product import product_rate
    from napari_d24fad.benchmark.report import Benchmark, as_dict, as_text, draw
    from napari_d24fad.benchmark.volume import measure_volume
    from napari_d24fad.detection.detector import Detector
    from napari_d24fad.detection.encoding.devices import available_devices, choose_device
    from napari_d24fad.memory import highest_mib
    from napari_d24fad.network.d24fad import build_network

    warn_of_device(arguments.device)
    cancel = CancelToken()
    if arguments.alone:
        chosen = choose_device(arguments.device)
        label = (
            dict(available_devices())[str(chosen)] if chosen.type == "cuda" else _cpu(torch.get_num_threads())
        )
        named = (label, date.today().isoformat())
        with progress_bar() as progress:
            alone = measure_teacher(
                arguments.teacher, size, arguments.repeats, chosen, named, progress, cancel
            )
        print(as_json(asdict(alone)) if arguments.json else teacher_text(alone))
        return
    detector = Detector.load("compact", arguments.device)
    device = detector.device
    torch.manual_seed(0)
    # Random weights are as fast as trained ones, and need no download.
    network = build_network(arguments.teacher).requires_grad_(False).to(device)
    with progress_bar() as progress:
        images = measure_images(
            network,
            size,
            arguments.shots,
            arguments.repeats,
            device,
            part(progress, 0, 0.5),
            cancel,
        )
        volume = heads = None
        if arguments.volume:
            if arguments.volume_teacher:
                # As published, without the embedded model's larger inputs.
                card = replace(
                    detector.model.card, name=arguments.teacher, teacher=arguments.teacher, input_size=size
                )
                model = replace(detector.model, card=card, network=network)
                detector = Detector(model, arguments.device)
            volume = measure_volume(detector, arguments.volume, part(progress, 0.5, 0.8), cancel)
            if not arguments.volume_teacher:
                heads = measure_heads(arguments.volume, part(progress, 0.8, 1), cancel)
    on_gpu = device.type == "cuda"
    # Before the large matrices are made, which no run of the program has.
    memory_mib = torch.cuda.max_memory_allocated(device) / 2**20 if on_gpu else highest_mib()
    rates = {
        name: product_rate(device, dtype) / 1e9
        for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16))
    }
    measured = Benchmark(
        teacher=arguments.teacher,
        size=size,
        device=detector.device_label if on_gpu else _cpu(torch.get_num_threads()),
        date=date.today().isoformat(),
        gflop=operations(network, size) / 1e9,
        product_gflops=rates,
        images=tuple(images),
        volume=volume,
        heads=heads,
        memory_mib=memory_mib,
    )
    if arguments.plot is not None:
        draw(measured, arguments.plot)
    print(as_json(as_dict(measured)) if arguments.json else as_text(measured))


def _size(arguments: Namespace) -> int:
    """Returns the side of the images, which the teacher must be able to take.

    Raises:
        ArgumentError: BAD_ARGUMENT if it cannot.
        ModelError: MODEL_MISMATCH for an unknown teacher.
    """
    spec = teacher_spec(arguments.teacher)
    multiple = spec.architecture.multiple
    usual = spec.input_size if arguments.alone or multiple != _USUAL_MULTIPLE else 128
    size: int = arguments.size or usual
    if size % multiple:
        detail = f"--size: {arguments.teacher} takes multiples of {multiple} pixels."
        raise ArgumentError(Code.BAD_ARGUMENT, detail)
    return size


def _cpu(threads: int) -> str:
    return f"cpu, {threads} thread{'s' if threads > 1 else ''}"
