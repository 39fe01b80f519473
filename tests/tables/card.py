"""docs/card.md: the card of the embedded model, for reading."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path

from napari_d24fad.network.card import Figure, ModelCard, read_card

_STATISTIC = "single_statistic"
CARD = Path(__file__).resolve().parents[2] / "resources" / "models" / "compact.json"


def card() -> str:
    """Returns the page."""
    shown = read_card(CARD)
    return "\n".join([*_about(shown), *_figures(shown.figures), *_limits(shown)])


def _about(shown: ModelCard) -> list[str]:
    return [
        f"# {shown.title}",
        "",
        *_wrapped(f"The card of the embedded model `{shown.name}`, {shown.date}. {shown.intended_use}"),
        "",
        f"<!-- Made of resources/models/{CARD.name} by `make docs`. -->",
        "",
        *_table(
            ("field", "value"),
            [
                ("licence", shown.licence),
                ("teacher", f"{shown.teacher}, weights {shown.teacher_weights}"),
                ("input", f"{shown.input_size} x {shown.input_size} pixels"),
                ("scoring", shown.scoring),
                ("recipe", "; ".join(f"`{line}`" for line in shown.recipe)),
                ("seeds", ", ".join(map(str, shown.seeds))),
                ("selection", shown.selection),
                ("SHA-256", f"`{shown.sha256}`"),
            ],
        ),
        *_wrapped(shown.notes),
        "",
        "## Data",
        "",
        *_table(("what", "terms", "for"), [(each.name, each.terms, each.use) for each in shown.data]),
    ]


def _figures(figures: Sequence[Figure]) -> Iterable[str]:
    yield from ("## Figures", "")
    for about in dict.fromkeys(_about_group(each) for each in figures):
        group = [each for each in figures if _about_group(each) == about]
        columns = list(dict.fromkeys(str(each["metric"]) for each in group))
        statistics = {each["data"]: f"{each[_STATISTIC]:.3f}" for each in group if _STATISTIC in each}
        columns += ["single statistic"] if statistics else []
        rows = []
        for task in dict.fromkeys(str(each["data"]) for each in group):
            cells = {str(each["metric"]): _cell(each) for each in group if each["data"] == task}
            cells["single statistic"] = statistics.get(task, "")
            rows.append((task, *(cells.get(column, "") for column in columns)))
        yield from (*_wrapped(about), "", *_table(("task", *columns), rows))


def _about_group(figure: Figure) -> str:
    shots = f", {figure['shots']} references" if "shots" in figure else ""
    draws = f", {figure['draws']} draws" if "draws" in figure else ""
    model = str(figure["model"])
    return f"{model[0].upper()}{model[1:]}{shots}{draws}; {figure['protocol']}, {figure['date']}:"


def _cell(figure: Figure) -> str:
    value = f"{round(float(figure['value'] or 0), 3) + 0.0:.3f}"  # never -0.000
    return f"{value} [{figure['low']:.3f}, {figure['high']:.3f}]" if "low" in figure else value


def _limits(shown: ModelCard) -> list[str]:
    return [
        "## Confounds",
        "",
        *(part for line in shown.confounds for part in _wrapped(f"- {line}")),
        "",
        "## Where it fails",
        "",
        *(part for line in shown.failures for part in _wrapped(f"- {line}")),
        "",
    ]


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, 118, subsequent_indent="  " * text.startswith("- "), break_on_hyphens=False)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, *rows]
    first, *others = (f"| {' | '.join(line)} |" for line in lines)
    return [first, "|" + "---|" * len(head), *others, ""]
