"""Measures how long the sample study takes to follow when a reference is left out and marked again.

    python -m tests.session.marking

Prints processor seconds of each step, as a session without a window takes them; the first examines all. It
is no test: other work on the machine lengthens what it measures.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests import isolation

isolation.isolate()  # the cache, too

from napari_d24fad.progress import CancelToken, silent  # noqa: E402
from napari_d24fad.sample.study import write_sample_study  # noqa: E402
from napari_d24fad.session.opening import open_paths  # noqa: E402
from napari_d24fad.session.request import Examination, Request  # noqa: E402
from napari_d24fad.session.session import DetectionSession  # noqa: E402


def main() -> None:
    """Examines the sample study, and follows other choices of its references."""
    with tempfile.TemporaryDirectory() as folder:
        sample = write_sample_study(Path(folder))
        found = {each.source: each for each in open_paths([sample.query, *sample.references]).series}
        references = tuple(found[path] for path in sample.references)
        whole = Request(found[sample.query], references, "compact", "cpu")
        fewer = replace(whole, references=references[1:])
        again = replace(whole, references=(*references[1:], references[0]))
        session, cancel = DetectionSession(), CancelToken()
        held = [_timed("examine", lambda: session.run(whole, silent, cancel))]
        for name, request in (
            ("leave the first out", fewer),
            ("mark it again, the last now", again),
            ("leave it out again", fewer),
            ("leave another out", replace(whole, references=(references[0], *references[2:]))),
        ):
            held.append(_timed(name, lambda request=request: session.rescore(request, silent, cancel)))
        later = DetectionSession()
        held.append(_timed("another session examines", lambda: later.run(whole, silent, cancel)))
        last = replace(whole, references=references[:-1])
        held.append(_timed("and leaves the last out", lambda: later.rescore(last, silent, cancel)))


def _timed(name: str, step: Callable[[], Examination]) -> Examination:
    began = time.process_time()
    examination = step()
    print(f"{time.process_time() - began:6.2f} s  {name}, score {examination.anomaly.score:.4g}", flush=True)
    return examination


if __name__ == "__main__":
    main()
    isolation.clean()
