"""What a run can be done with here: the models that are installed and the devices there are."""

from __future__ import annotations

from napari_d24fad.network.zoo import list_models
from napari_d24fad.progress import CancelToken, Progress

_PREFERRED_MODEL = "compact"


def offered_models() -> list[tuple[str, str]]:
    """Returns the name of each model and one line about it, the one to prefer first."""
    cards = sorted(list_models(), key=lambda card: card.name != _PREFERRED_MODEL)
    return [(card.name, card.title) for card in cards]


def offered_devices(progress: Progress, cancel: CancelToken) -> list[tuple[str, str]]:
    """Returns the name and the label of each device; for a worker: it imports torch, which takes seconds."""
    from napari_d24fad.detection.encoding.devices import available_devices

    return [(device.name, device.label) for device in available_devices()]
