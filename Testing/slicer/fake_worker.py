"""A worker that speaks the protocol and does what its first argument says; no network in it.

good       labels by value: 100 is vessel, 200 is aneurysm (exact, on the volume's own grid)
core       the same rule, but by the program's way to the working grid and back
slow       reports progress until it is cancelled
stubborn   reports progress and does not hear a cancellation
crash      dies in the middle of the work
exit       ends in the middle of the work, with exit code 3
error      refuses the volume
garbage    prints everything but the protocol, then the result of "good"
othergrid  writes a label map shifted by half a voxel
otherlabels  writes a label that does not exist
nofile     says that it is done, without a file
oldprotocol  greets with another protocol's number
outside    puts the box of a click outside of the volume
mute       says nothing at all
frozen     says nothing any more in the middle of the work
stuck      tells in the middle of the work that it lives, and of no work and no processor time
busy       works for 3.5 s, of which it tells only the processor time, then like "good"
driver     its device's driver fails; the next worker is like "good"
driverdies   as "driver", without a word before the end
nodriver   its device's driver fails, in every worker
waits      works for half a second, then like "good"
reports    like "good", with a report such as the real worker's
otherprobability  writes probabilities above 1
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from pathlib import Path
from queue import Queue
from typing import Any

import numpy as np

from gsema_core.errors import DeviceFailedError
from gsema_core.exit_codes import EXIT_DEVICE_FAILED
from gsema_core.worker.protocol import (
    PREFIX,
    PROTOCOL_VERSION,
    ScanNeededError,
)

DEVICES = [
    {"name": "cuda:0", "model": "X100", "free_bytes": 6.2e9, "memory_bytes": 8e9},
    {"name": "cpu", "model": "x86_64", "threads": 2},
]
MEASURED = {"window_seconds": 2.0, "window": [20, 20, 20], "spacing_mm": 1.6}

cancelled: set[int] = set()
requests: Queue[dict[str, Any] | None] = Queue()


def emit(event: str, **fields: Any) -> None:
    print(PREFIX + json.dumps({"event": event, **fields}), flush=True)


def listen() -> None:
    for line in sys.stdin:
        request = json.loads(line)
        if request["command"] == "cancel":
            cancelled.add(request["target"])
        elif request["command"] == "quit":
            break
        else:
            requests.put(request)
    requests.put(None)


def read_nrrd(path: str) -> tuple[list[str], np.ndarray]:
    """Header lines and voxels (k, j, i) of an uncompressed NRRD file."""
    content = Path(path).read_bytes()
    header, data = content.split(b"\n\n", 1)
    lines = header.decode("utf-8").split("\n")
    fields = dict(line.split(": ", 1) for line in lines if ": " in line)
    types = {"double": "f8", "float": "f4", "short": "i2", "int16": "i2", "uint8": "u1"}
    size = [int(count) for count in fields["sizes"].split()]
    kind = types[fields["type"].replace("unsigned char", "uint8")]
    assert fields["encoding"] == "raw", "the volume must not be compressed"
    return lines, np.frombuffer(data, kind).reshape(size[::-1])


def write_labels(path: str, lines: list[str], labels: np.ndarray) -> None:
    kept = [line for line in lines if not line.startswith(("type:", "endian:"))]
    header = "\n".join([kept[0], "type: uint8", *kept[1:]]) + "\n\n"
    Path(path).write_bytes(header.encode("utf-8") + labels.astype(np.uint8).tobytes())


def write_probabilities(path: str, lines: list[str], values: np.ndarray) -> None:
    kept = [line for line in lines if not line.startswith(("type:", "endian:"))]
    header = "\n".join([kept[0], "type: float", "endian: little", *kept[1:]]) + "\n\n"
    Path(path).write_bytes(header.encode("utf-8") + values.astype("<f4").tobytes())


def shifted(lines: list[str]) -> list[str]:
    moved = []
    for line in lines:
        if line.startswith("space origin:"):
            x, y, z = (float(n) for n in line.split("(")[1].rstrip(")").split(","))
            line = f"space origin: ({x + 0.3},{y},{z})"
        moved.append(line)
    return moved


def by_value(voxels: np.ndarray) -> np.ndarray:
    return np.where(voxels > 150, 2, np.where(voxels > 50, 1, 0)).astype(np.uint8)


def through_the_core(request: dict[str, Any]) -> None:
    from gsema_core.files import read_volume, write_labels
    from gsema_core.grids import Volume, to_working
    from gsema_core.inference.deciding.original_grid import probabilities_to_labels

    volume = read_volume(request["input"])
    working = to_working(volume, 0.8)
    vessel = np.clip(working.array / 100, 0, 1)
    probabilities = np.stack([1 - vessel, vessel, np.zeros_like(vessel)]).astype(np.float32)
    labels = probabilities_to_labels(probabilities[1:], working.geometry, volume.geometry)
    assert isinstance(labels, Volume)
    write_labels(labels, request["output"])


def segment(mode: str, request: dict[str, Any]) -> None:
    number = request["id"]
    emit("progress", id=number, fraction=0.1, phase="Reading the scan")
    if mode == "core":
        through_the_core(request)
        emit("result", id=number, report={}, aneurysms=[])
        return
    if misbehaves(mode, request):
        return
    lines, voxels = read_nrrd(request["input"])
    labels = by_value(voxels)
    if mode == "otherlabels":
        labels = labels * 3
    if mode != "nofile":
        write_labels(request["output"], shifted(lines) if mode == "othergrid" else lines, labels)
    if request.get("probabilities"):
        scale = 1.0 if mode == "otherprobability" else 0.5
        write_probabilities(request["probabilities"], lines, labels * scale)
    emit("progress", id=number, fraction=1.0, phase="Writing the result")
    row = {"index": 1, "volume_ml": 0.25, "largest_diameter_mm": 7.5, "centroid_lps": [1, 2, 3]}
    found = [row] if (labels == 2).any() else []
    report = full_report(request) if mode == "reports" else {"teacher": request["teacher"]}
    emit("result", id=number, report=report, aneurysms=found)


def full_report(request: dict[str, Any]) -> dict[str, Any]:
    return {
        "program": {"name": "gsema_core", "version": "0", "torch": "2.8.0"},
        "teacher": {"name": "default", "sha256": "0123456789abcdef"},
        "device": {"name": "cpu", "threads": 2},
        "settings": {"overlap": 0.5, "aneurysm_threshold": None, **request["settings"]},
        "seconds": {"read": 0.25, "windows": 12.5},
        "notes": ["The scan is noisy."],
    }


def misbehaves(mode: str, request: dict[str, Any]) -> bool:
    """What a mode does before its result; returns whether that was the end."""
    number = request["id"]
    if mode in ("slow", "stubborn"):
        return works_until_cancelled(mode, number)
    if mode == "waits":
        time.sleep(0.5)
    if mode in ("frozen", "stuck", "busy"):
        work_silently(mode, number)
    if "driver" in mode:
        fail_with_the_driver(mode, request)
    if mode == "crash":
        os.abort()
    if mode == "exit":
        print("ValueError: something deep inside", file=sys.stderr, flush=True)
        os._exit(3)
    if mode == "garbage":
        sys.stdout.buffer.write(b"\xff\xfe\x00 @gsema {\n@gsema {broken\n@gsema [1]\n")
        emit("result", id=number + 1000, report={})
        emit("progress", id=number, fraction="much", phase=3)
    if mode == "error":
        emit("error", id=number, message="The volume is constant: choose another one.")
    return mode == "error"


def works_until_cancelled(mode: str, number: int) -> bool:
    for step in range(600):
        emit("progress", id=number, fraction=0.1 + step / 1000, phase="Segmenting")
        time.sleep(0.02)
        if number in cancelled and mode == "slow":
            emit("cancelled", id=number)
            return True
    return False


def work_silently(mode: str, number: int) -> None:
    seconds = 0.0
    while mode != "busy" or seconds < 3.5:
        if mode != "frozen":
            beat = {"work": 3, "cpu_seconds": round(seconds, 2) if mode == "busy" else 0.4}
            emit("heartbeat", id=number, **beat)
        time.sleep(0.1)
        seconds += 0.1


def fail_with_the_driver(mode: str, request: dict[str, Any]) -> None:
    """As the real worker: a code for programs, and an exit code of its own."""
    marker = Path(request["input"]).parent / "the driver has failed"
    if mode == "nodriver" or not marker.exists():
        marker.touch()
        if mode != "driverdies":
            message = "The GPU's driver has failed."
            emit("error", id=request["id"], message=message, code=DeviceFailedError.code)
        os._exit(EXIT_DEVICE_FAILED)


def answer_click(mode: str, request: dict[str, Any]) -> None:
    import fake_clicks

    number = request["id"]
    if mode in ("slow", "crash", "error", "frozen", "stuck"):  # these do not read the volume
        segment(mode, request)
    elif request["command"] == "prepare":
        emit("progress", id=number, fraction=0.5, phase="Reading the scan")
        fake_clicks.prepare(request)
        emit("result", id=number, geometry={}, device="cpu", seconds={})
    elif fake_clicks.is_kept(request):
        emit("result", id=number, **fake_clicks.click(request, mode))
    else:
        emit("error", id=number, message="The scan is not kept.", code=ScanNeededError.code)


def main() -> None:
    mode = sys.argv[1]
    threading.Thread(target=listen, daemon=True).start()
    if mode != "mute":
        emit(
            "hello",
            pid=os.getpid(),
            protocol=PROTOCOL_VERSION - (mode == "oldprotocol"),
            version="0",
        )
    while (request := requests.get()) is not None:
        if request["command"] == "devices":
            measured = {} if request.get("teacher") is None else MEASURED
            device = "cpu" if request.get("device") == "cpu" else "cuda:0"
            emit("result", id=request["id"], devices=DEVICES, device=device, **measured)
        elif mode not in ("mute", "oldprotocol"):
            (segment if request["command"] == "segment" else answer_click)(mode, request)
    os._exit(0)


if __name__ == "__main__":
    main()
