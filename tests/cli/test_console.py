import logging

import pytest

from napari_d24fad.cli import console


def test_a_log_gets_a_line_of_progress_a_minute(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 1000.0
    monkeypatch.setattr(console.time, "monotonic", lambda: now)
    with console.progress_bar() as progress:
        for second in range(150):
            now = 1000.0 + second
            progress(second / 150, f"step {second}")
    captured = capsys.readouterr()
    assert captured.err == "d24fad: 40% step 60\nd24fad: 80% step 120\n"
    assert captured.out == ""


def test_logs_that_were_off_before_stay_off() -> None:
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        with console.quiet_libraries():
            assert logging.root.manager.disable == logging.CRITICAL
        assert logging.root.manager.disable == logging.INFO
    finally:
        logging.disable(before)
