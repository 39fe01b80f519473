"""Against a real server on 127.0.0.1; what it served is counted byte by byte."""

import hashlib
import random
import socket
import threading
import time

import pytest

from napari_d24fad.errors import ArgumentError, Cancelled, Code, ModelError
from napari_d24fad.network.download import download
from napari_d24fad.progress import CancelToken

CONTENT = random.Random(0).randbytes(700_000)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def target(tmp_path, server):
    server.content = CONTENT
    return tmp_path / "cache" / "weights.pth"


def names(target):
    return sorted(file.name for file in target.parent.iterdir())


def interrupt(server, target, *after):
    """Leaves a partial file: connections break after so many bytes each until the download gives up."""
    server.break_after = [*after, 0, 0, 0, 0][:4]
    with pytest.raises(ModelError) as caught:
        download(server.url, target, SHA256)
    assert caught.value.code is Code.DOWNLOAD_FAILED
    server.break_after = []
    server.forget()


def test_a_download_is_checked_and_put_in_place(server, target):
    steps = []
    assert (
        download(server.url + "/weights.pth", target, SHA256, progress=lambda *step: steps.append(step))
        == SHA256
    )
    assert target.read_bytes() == CONTENT
    assert names(target) == ["weights.pth"]
    fractions = [fraction for fraction, _ in steps]
    assert fractions == sorted(fractions)
    assert len(fractions) > 5
    assert fractions[-1] == 1.0
    assert server.requests == [("/weights.pth", None, None)]


def test_a_connection_that_breaks_is_taken_up_again_at_once(server, target):
    server.break_after = [100_000, 200_000]
    download(server.url, target, SHA256)
    assert target.read_bytes() == CONTENT
    assert server.served == [100_000, 200_000, 400_000]
    assert [asked for _, asked, _ in server.requests] == [None, "bytes=100000-", "bytes=300000-"]
    assert [condition for *_, condition in server.requests] == [None, '"v1"', '"v1"']


def test_a_connection_that_is_reset_is_taken_up_again(server, target):
    server.break_after, server.resets = [100_000, 200_000], True
    download(server.url, target, SHA256)
    assert target.read_bytes() == CONTENT
    assert len(server.requests) == 3


@pytest.mark.parametrize("etag", ['"v1"', 'W/"weak"', ""])
def test_a_later_call_goes_on_from_the_partial_file(server, target, etag):
    server.etag = etag
    interrupt(server, target, 250_000)
    assert names(target) == ["weights.pth.part", "weights.pth.part.json"]
    download(server.url, target, SHA256)
    assert target.read_bytes() == CONTENT
    assert server.served == [450_000]
    assert names(target) == ["weights.pth"]


def test_the_whole_file_is_taken_from_a_server_without_ranges(server, target):
    interrupt(server, target, 250_000)
    server.ranges = False
    download(server.url, target, SHA256)
    assert target.read_bytes() == CONTENT
    assert server.served == [700_000]


def test_a_file_that_changed_meanwhile_is_fetched_anew(server, target):
    server.content = bytes(600_000)
    interrupt(server, target, 250_000)
    server.content, server.etag = CONTENT, '"v2"'
    download(server.url, target, SHA256)
    assert target.read_bytes() == CONTENT
    assert server.served == [700_000]


def test_without_entity_tag_another_size_gives_the_change_away(server, target):
    server.content, server.etag = bytes(600_000), ""
    interrupt(server, target, 250_000)
    server.content = CONTENT
    download(server.url, target, SHA256)
    assert target.read_bytes() == CONTENT
    assert [asked for _, asked, _ in server.requests] == ["bytes=250000-", None]


def test_a_range_that_was_not_asked_for_is_not_appended(server, target):
    interrupt(server, target, 250_000)
    server.shift = 10
    download(server.url, target, SHA256)
    assert target.read_bytes() == CONTENT
    assert [asked for _, asked, _ in server.requests] == ["bytes=250000-", None]


def test_a_partial_file_longer_than_the_file_is_dropped(server, target):
    interrupt(server, target, 250_000)
    with (target.parent / "weights.pth.part").open("ab") as file:
        file.write(bytes(800_000))
    download(server.url, target, SHA256)
    assert target.read_bytes() == CONTENT
    assert server.served == [0, 700_000]


def test_a_damaged_note_only_costs_the_partial_file(server, target):
    interrupt(server, target, 250_000)
    (target.parent / "weights.pth.part.json").write_text("[")
    download(server.url, target, SHA256)
    assert target.read_bytes() == CONTENT


def test_a_complete_partial_file_needs_no_server(server, target):
    interrupt(server, target, 250_000)
    (target.parent / "weights.pth.part").write_bytes(CONTENT)
    download(server.url, target, SHA256)
    assert target.read_bytes() == CONTENT
    assert server.requests == []


def test_a_server_that_tells_no_size_is_trusted_by_the_checksum_alone(server, target):
    server.tells_size = False
    download(server.url, target, SHA256)
    assert target.read_bytes() == CONTENT


@pytest.mark.parametrize("tells_size", [True, False])
def test_wrong_bytes_are_discarded(server, target, tells_size):
    server.content, server.tells_size = CONTENT[:-1] + b"x", tells_size
    with pytest.raises(ModelError) as caught:
        download(server.url, target, SHA256)
    assert caught.value.code is Code.CHECKSUM_MISMATCH
    assert names(target) == []


def test_the_first_digits_of_a_checksum_do(server, target):
    assert download(server.url, target, SHA256[:8]) == SHA256


@pytest.mark.parametrize("status", [404, 403, 500])
def test_a_refusal_is_reported_with_its_status(server, target, status):
    server.status = status
    with pytest.raises(ModelError, match=str(status)) as caught:
        download(server.url, target, SHA256)
    assert caught.value.code is Code.DOWNLOAD_FAILED
    assert names(target) == []
    assert len(server.requests) == 1


def test_a_refusal_keeps_what_arrived_before(server, target):
    interrupt(server, target, 250_000)
    server.status = 503
    with pytest.raises(ModelError):
        download(server.url, target, SHA256)
    server.status = 200
    download(server.url, target, SHA256)
    assert server.served == [0, 450_000]


def test_no_server(target):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound, and nobody listens
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(ModelError, match=r"127\.0\.0\.1") as caught:
            download(url, target, SHA256)
    assert caught.value.code is Code.DOWNLOAD_FAILED


def test_a_server_that_does_not_speak_http(target):
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer():
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"\x00\x01 what?\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ModelError) as caught:
            download(f"http://127.0.0.1:{listener.getsockname()[1]}", target, SHA256)
        thread.join()
    assert caught.value.code is Code.DOWNLOAD_FAILED


def test_cancelling_while_bytes_arrive_leaves_a_partial_file(server, target):
    cancel = CancelToken()

    def stop(fraction, step):
        if fraction > 0.3:
            cancel.cancel()

    with pytest.raises(Cancelled):
        download(server.url, target, SHA256, progress=stop, cancel=cancel)
    assert names(target) == ["weights.pth.part", "weights.pth.part.json"]
    kept = (target.parent / "weights.pth.part").stat().st_size
    assert 0.3 * len(CONTENT) < kept < len(CONTENT)
    server.forget()
    download(server.url, target, SHA256)
    assert target.read_bytes() == CONTENT
    assert server.served == [len(CONTENT) - kept]


def test_cancelling_does_not_wait_for_a_silent_server(server, target):
    server.stall_after = 150_000
    cancel = CancelToken()
    cancelled_at = []

    def stop_later(fraction, step):
        if fraction > 0.2 and not cancelled_at:
            cancelled_at.append(time.monotonic() + 0.3)
            threading.Timer(0.3, cancel.cancel).start()

    with pytest.raises(Cancelled):
        download(server.url, target, SHA256, progress=stop_later, cancel=cancel)
    assert time.monotonic() - cancelled_at[0] < 25  # the server is given 30 s
    assert (target.parent / "weights.pth.part").stat().st_size == 150_000


def test_cancelled_before_it_began(server, target):
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        download(server.url, target, SHA256, cancel=cancel)
    assert names(target) == []


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/weights", "weights", "http://"])
def test_only_web_addresses(target, url):
    with pytest.raises(ArgumentError) as caught:
        download(url, target, SHA256)
    assert caught.value.code is Code.BAD_ARGUMENT


def test_a_folder_that_takes_no_files(server, tmp_path):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(ModelError) as caught:
        download(server.url, tmp_path / "cache" / "weights.pth", SHA256)
    assert caught.value.code is Code.CANNOT_WRITE
    assert server.requests == []


def test_the_proxy_of_the_environment_is_used(server, target, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url)
    download("http://weights.invalid/weights.pth", target, SHA256)
    assert target.read_bytes() == CONTENT
    assert server.requests == [("http://weights.invalid/weights.pth", None, None)]
