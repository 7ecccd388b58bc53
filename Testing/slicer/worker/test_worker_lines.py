"""Lines and messages between a panel and the worker."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def decoder(segmentation_module):
    from GSEMASegmentationLib.worker.LineDecoder import LineDecoder

    return LineDecoder()


def test_lines_and_characters_may_be_cut_anywhere(decoder):
    text = "Füße\r\n患者 α\nlast"
    lines = [line for byte in text.encode() for line in decoder.feed(bytes([byte]))]
    assert lines == ["Füße", "患者 α"]
    assert decoder.flush() == ["last"]
    assert decoder.flush() == []


def test_bytes_that_are_no_text_do_not_stop_the_reading(decoder):
    assert decoder.feed(b"\xff\xfe ok\n") == ["\ufffd\ufffd ok"]


def test_a_line_without_an_end_does_not_fill_the_memory(decoder):
    from GSEMASegmentationLib.worker.LineDecoder import LONGEST_LINE

    lines = [line for _ in range(30) for line in decoder.feed(b"x" * 100_000)]
    assert lines
    assert len(decoder.flush()[0]) <= LONGEST_LINE + 100_000


@pytest.mark.parametrize(
    "line",
    [
        "loading...",
        '{"event": "result", "id": 1}',
        "@gsema {broken",
        "@gsema [1]",
        '@gsema {"id": 1}',
        '@gsema {"event": "result", "id": "one"}',
    ],
)
def test_what_is_no_message_is_log(segmentation_module, line):
    from GSEMASegmentationLib.worker.WorkerProtocol import parseLine

    assert parseLine(line) is None


def test_messages_of_the_worker_are_understood(segmentation_module):
    from GSEMASegmentationLib.worker.WorkerProtocol import parseLine

    from gsema_core.worker.protocol import encode_event

    event = parseLine(encode_event({"event": "progress", "id": 3, "fraction": 0.5}).rstrip())
    assert event is not None
    assert (event.kind, event.requestId, event.data) == ("progress", 3, {"fraction": 0.5})


def test_requests_are_what_the_worker_expects(segmentation_module):
    from GSEMASegmentationLib.worker.RunSettings import RunSettings
    from GSEMASegmentationLib.worker.WorkerProtocol import encodeRequest

    from gsema_core.worker.protocol import SegmentRequest, decode_request

    settings = RunSettings.fromNames("mine", "cpu", overlap=0.25, wallsByScan=False)
    files = {"input": "/tmp/患者/in.nrrd", "output": "/tmp/out.nrrd", "volume_key": "a:1"}
    request = decode_request(encodeRequest(7, "segment", **files, **settings.toRequest()))
    chosen = {"overlap": 0.25, "walls_by_scan": False}
    assert request == SegmentRequest(7, teacher="mine", device="cpu", settings=chosen, **files)
    bare = decode_request(encodeRequest(8, "segment", **files, **RunSettings().toRequest()))
    assert bare == SegmentRequest(8, **files)
    assert json.loads(encodeRequest(9, "quit")) == {"id": 9, "command": "quit"}
    assert decode_request(encodeRequest(9, "cancel", target=7)).target == 7
