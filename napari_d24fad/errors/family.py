"""The one family of exceptions."""

from __future__ import annotations

from napari_d24fad.errors.codes import Code


class D24fadError(Exception):
    """A refusal with a stable code.

    Attributes:
        code: The `Code` that names the refusal.
        detail: What is particular to this case, in one sentence without identity
            or path; may be empty.
    """

    def __init__(self, code: Code, detail: str = "") -> None:
        self.code = code
        self.detail = detail
        super().__init__(code, detail)

    def __str__(self) -> str:
        sentences = (self.code.meaning, self.detail, self.code.action)
        return f"{self.code.code}: " + " ".join(sentence for sentence in sentences if sentence)


class StudyError(D24fadError):
    """A study cannot be read, or not without guessing."""


class PairingError(D24fadError):
    """These references cannot serve for this query.

    Attributes:
        example: Which abnormal example it is about, from 0; None if about none.
    """

    def __init__(self, code: Code, detail: str = "", *, example: int | None = None) -> None:
        super().__init__(code, detail)
        self.example = example


class ModelError(D24fadError):
    """A model, its weights or its device cannot be used."""


class ExportError(D24fadError):
    """A result cannot be written."""


class SessionError(D24fadError):
    """A saved session cannot be opened, or not wholly."""


class ArchiveError(D24fadError):
    """An archive cannot be reached, or what it sends cannot be taken."""


class CohortError(D24fadError):
    """A run over a cohort cannot start or go on."""


class TrainingError(D24fadError):
    """A training run cannot start or go on."""


class ArgumentError(D24fadError):
    """A command was called with arguments that do not make sense."""


class Cancelled(Exception):  # noqa: N818 - not an error: the user asked for it
    """The user stopped the computation."""
