"""The site of the documents: ``make site`` writes it to build/site.

Its source folder is the repository, so that README.md, CONTRIBUTING.md and CHANGELOG.md are pages of it, and
links between them and docs/ are checked as they are written for GitHub.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY))

from napari_d24fad.version import __version__  # noqa: E402 - the package of this checkout

project = "napari-d24fad"
author = "The napari-d24fad developers"
copyright = "The napari-d24fad developers. Research use only, not for diagnosis"  # noqa: A001 - Sphinx's name
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
root_doc = "docs/index"
include_patterns = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "docs/**.md"]
exclude_patterns = [".*", "build", "dist", "napari_d24fad", "resources", "tests", "**/*.egg-info"]
myst_heading_anchors = 4  # links to headings, as GitHub has them
highlight_language = "text"
autodoc_typehints = "description"
autodoc_member_order = "bysource"

html_theme = "pydata_sphinx_theme"
html_title = "napari-d24fad"
html_extra_path = ["site"]
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "navbar_center": [],  # all pages are in the sidebar, under the headings of the index
    "navbar_end": ["theme-switcher"],
    "globaltoc_includehidden": True,
    "globaltoc_collapse": False,
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_sidebars = {"**": ["globaltoc.html"]}
html_show_sourcelink = False
html_copy_source = False


def _add_trees(app: Sphinx, name: str, source: list[str]) -> None:
    """Makes a part of the navigation of each list of links on the index: GitHub shows directives as code."""
    if name != root_doc:
        return
    for section in source[0].split("\n## ")[1:]:
        title = section.partition("\n")[0]
        links = re.findall(r"^- \[([^]]*)\]\(([^)#]+)\.md\)", section, re.MULTILINE)
        pages = [f"{text} <{page}>" for text, page in links]
        source[0] += "\n".join(
            ["\n\n```{toctree}", ":hidden:", ":titlesonly:", f":caption: {title}", "", *pages, "```\n"]
        )


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", _add_trees)
