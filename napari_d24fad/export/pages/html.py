"""Report pages as one HTML file that needs nothing else and runs nothing."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from importlib import resources

from jinja2 import Environment, StrictUndefined

from napari_d24fad.export.notice import NOTICE
from napari_d24fad.export.pages.page import Page


def html_of(pages: Sequence[Page]) -> str:
    """Returns the file; whatever a reader wrote is text in it and nothing else."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["base64"] = lambda content: base64.b64encode(content).decode("ascii")
    template = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
    return environment.from_string(template).render(pages=pages, notice=NOTICE)
