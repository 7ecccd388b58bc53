"""A ``gsema`` that trains nothing; its first argument says how it behaves, the rest is the command.

quick     trains in a moment, with log lines, validations, two pictures each and a teacher
slow      trains until it is stopped; obeys pause and stop
linger    likewise; and its process stays for a moment when it has said that it ended
long      like slow; and compares for a minute
crash     dies in the middle of the first session, trains to the end in the next one
failed    ends with a sentence in the log and in the status
memory    trains with a smaller patch than asked for, and says so
gpu       fails on anything but the CPU, for lack of memory
labels    fails until its configuration accepts labels that look wrong
worse     like quick; the comparison finds the new teacher worse
refused   the comparison fails

The teacher that comes out is the file that FAKE_TEACHER names.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import struct
import sys
import time
import zlib
from pathlib import Path
from typing import Any

from gsema_core.exit_codes import EXIT_STOPPED
from gsema_core.training.lock import held

STEPS = 40
LINGER_S = 3.0
"""As long as torch takes to go."""
SENTENCE = "Could not write checkpoint.pt (No space left on device): free some space."
SHRUNK = "The memory of cuda:0 is too small for the settings: going on with patch 64 x 64 x 64."


LABELS = "2 of 3 cases have more aneurysm than vessel. Or set accept_labels = true in [data]."
MEMORY = "The device has too little memory even for one patch of [64, 64, 64]: set device to cpu."


def cases(path: Path, rule: str = "") -> int:
    """Examine a datalist; a label map named "bad..." cannot be used.

    The folder of a list stands for one with folders that are centers or patients.
    """
    if path.is_dir():
        if not rule:
            print(json.dumps({"question": {"folders": ["A", "B"]}}))
            print("error: folders hold several scans each: say what they are.", file=sys.stderr)
            return 2
        print(json.dumps({"note": f"The rule was {rule}."}))
        path = path / "datalist.json"
    if not path.exists():
        print(f"error: {path} does not exist: check the path.", file=sys.stderr)
        return 2
    document = json.loads(path.read_text())
    entries, rules = document["cases"], document.get("labels", {})
    for number, entry in enumerate(entries, start=1):
        isBad = "bad" in entry["label"]
        line = {
            "number": number,
            "patient": entry["patient"],
            "center": entry["center"],
            "use": entry.get("use", ""),
            "image": str(path.parent / entry["image"]),
            "label": str(path.parent / entry["label"]),
            "relabel": entry.get("relabel", []),
            "labels": entry.get("labels", rules),
            "ignored_ml": 0.1 if "ignore" in rules else 0.0,
            "usable": not isBad,
            "reason": "The label map has the value 7: use 0, 1 and 2." if isBad else None,
            "spacing_mm": [0.4, 0.4, 0.6],
            "size": [100, 100, 80],
            "vessel_ml": 1.5,
            "aneurysm_ml": 0.25,
            "aneurysms": 1 + number % 2,
        }
        print(json.dumps(line), flush=True)
    print(json.dumps({"summary": {"cases": len(entries)}}))
    return 0


def png() -> bytes:
    """A picture of one gray pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        end = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + end

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(b"\0\x7f")), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


class Run:
    """The files of a run's folder."""

    def __init__(self, folder: Path, mode: str) -> None:
        self.folder, self.mode, self.device = folder, mode, ""
        self.step = int(self.read("checkpoint.pt") or 0)

    @property
    def isEndless(self) -> bool:
        return self.mode in ("slow", "linger", "long")

    def read(self, name: str) -> str:
        path = self.folder / name
        return path.read_text() if path.exists() else ""

    def tell(self, state: str, message: str = "") -> None:
        status: dict[str, Any] = {
            "state": state,
            "pid": os.getpid(),
            "step": self.step,
            "steps": STEPS,
            "epoch": self.step // 10,
            "epochs": STEPS // 10,
            "seconds": 0.5 * self.step,
            "minutes": 0.0,
            "seconds_left": 0.5 * (STEPS - self.step) if self.step > 5 else None,
            "seconds_per_step": 0.5 if self.step > 5 else None,
            "best_score": 0.5 if self.step >= 10 else None,
            "best_step": 10,
            "device": self.device if self.mode == "gpu" else "cpu",
            "memory_mb": 1536,
            "message": message,
            "updated": "2026-01-01T00:00:00+00:00",
        }
        temporary = self.folder / "status.new"
        temporary.write_text(json.dumps(status))
        temporary.replace(self.folder / "status.json")

    def log(self) -> None:
        losses = f"{1 / self.step:.4f},{2 / self.step:.4f},3.0"
        self.tabulate(f"{self.step},training,{losses},0.5,0.75,,")
        print(f"[{self.step}/{STEPS}] loss", file=sys.stderr, flush=True)

    def tabulate(self, line: str) -> None:
        path = self.folder / "metrics.csv"
        if not path.exists():
            losses = "loss_source,loss_target,loss_contrast,similarity,gate_open_rate"
            path.write_text(f"step,kind,{losses},aneurysm_dice,vessel_dice\n")
        with path.open("a") as file:
            file.write(f"{line}\n")

    def validate(self) -> None:
        self.tell("validating")
        self.tabulate(f"{self.step},validation,,,,,,0.{self.step},0.8")
        (self.folder / "pictures").mkdir(exist_ok=True)
        for case in (1, 2):
            path = self.folder / "pictures" / f"step-{self.step:07d}-case-{case}.png"
            path.write_bytes(png())
        teacher = self.folder / "teacher.safetensors"
        shutil.copyfile(os.environ["FAKE_TEACHER"], teacher)

    def train(self) -> int:
        self.tell("preparing", "Preparing the cases.")
        self.device = "cpu" if 'device = "cpu"' in self.read("config.toml") else "cuda:0"
        if self.mode == "labels" and "accept_labels = true" not in self.read("config.toml"):
            self.tell("failed", LABELS)
            print(f"error: {LABELS}", file=sys.stderr)
            return 2
        if self.mode == "gpu" and self.device != "cpu":
            self.tell("failed", MEMORY)
            print(f"error: {MEMORY}", file=sys.stderr)
            return 2
        if self.mode == "failed":
            self.tell("failed", SENTENCE)
            print(f"error: {SENTENCE}", file=sys.stderr)
            return 2
        isFirst = self.step == 0
        if self.mode == "memory":
            print(f"Warning: {SHRUNK}", file=sys.stderr, flush=True)
        while self.step < STEPS or self.isEndless:
            if self.stopped():
                return EXIT_STOPPED
            self.step += self.step < STEPS - 1 or not self.isEndless
            (self.folder / "checkpoint.pt").write_text(str(self.step))
            self.tell("training")
            if self.isEndless:
                time.sleep(0.02)
            if self.step % 5 == 0:
                self.log()
            if self.step % 10 == 0:
                self.validate()
            if self.mode == "crash" and isFirst and self.step == 25:
                os._exit(137)
        self.tell("finished")
        return 0

    def stopped(self) -> bool:
        while (self.folder / "pause").exists():
            self.tell("paused")
            time.sleep(0.02)
            if (self.folder / "stop").exists():
                break
        if (self.folder / "stop").exists():
            (self.folder / "stop").unlink()
            self.tell("stopped")
            return True
        return False


def train(config: Path, mode: str) -> int:
    with held(config.parent):
        code = Run(config.parent, mode).train()
    time.sleep(LINGER_S if mode == "linger" else 0)
    return code


def compare(arguments: list[str], mode: str) -> int:
    """Write a report of three cases, the new teacher better by a tenth, or worse."""
    if mode == "refused":
        print("error: The teacher cannot be read.", file=sys.stderr)
        return 2
    print("case 1 of 3", file=sys.stderr, flush=True)
    time.sleep(60 if mode == "long" else 0)
    change = -0.1 if mode == "worse" else 0.1
    scores = {"aneurysm_dice": 0.5, "sensitivity": 0.6, "missed": 1, "false_positives": 2}
    old = {**scores, "surface_distance_mm": None, "vessel_dice": 0.7}
    new = {**old, "aneurysm_dice": 0.5 + change, "surface_distance_mm": 1.25}
    totals = {"false_positives_per_case": 2.0, "cases": 3}
    summary = {"start": {**old, **totals}, "new": {**new, **totals}}
    compared = Path(arguments[2])
    hashes = {"sha256": hashlib.sha256(compared.read_bytes()).hexdigest()}
    report = {
        "teachers": {"new": {"name": "new", **hashes}},
        "cases": [{"case": n, "center": "here", "start": old, "new": new} for n in (1, 2, 3)],
        "summary": summary,
        "verdict": "worse" if mode == "worse" else "better",
        "p_value": None,
        "warnings": ["3 cases are too few for a test: 6 are needed."],
        "replay": {"summary": summary} if "--also" in arguments else None,
        "arguments": arguments,
    }
    Path(arguments[arguments.index("--output") + 1]).write_text(json.dumps(report))
    return 0


def main(mode: str, command: str, *arguments: str) -> int:
    if command == "cases":
        return cases(Path(arguments[0]), *arguments[2:3][: "--center-from" in arguments])
    if command == "train":
        return train(Path(arguments[0]), mode)
    return compare(list(arguments), mode)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
