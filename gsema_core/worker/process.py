"""The worker's loop: requests in by a thread, work in the main thread, events out."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, TextIO

from gsema_core.errors import Cancelled, DeviceFailedError, UserError
from gsema_core.exit_codes import EXIT_DEVICE_FAILED
from gsema_core.machine.cores import Cores
from gsema_core.stop_signals import stop_signals
from gsema_core.version import __version__
from gsema_core.worker.heartbeat import Heartbeat
from gsema_core.worker.protocol import (
    CANCELLED,
    ERROR,
    HELLO,
    MAXIMUM_LINE_BYTES,
    PROGRESS,
    PROTOCOL_VERSION,
    READY,
    RESULT,
    CancelRequest,
    CardRequest,
    ClickRequest,
    DevicesRequest,
    PrepareRequest,
    ProtocolError,
    QuitRequest,
    Request,
    ScanNeededError,
    SegmentRequest,
    decode_request,
    encode_event,
    split_lines,
)
from gsema_core.worker.session import Session

if TYPE_CHECKING:
    from gsema_core.inference import Monitor

PROGRESS_SECONDS = 0.05
"""A progress bar needs no more than twenty events a second."""


def serve(preload: str | None = None, device: str = "auto", threads: int | None = None) -> int:
    """Be the worker on this process's stdin and stdout until told to quit.

    Args:
        preload: a teacher to load before the first request.
        device: for ``preload``.
        threads: CPU threads; None leaves one core to Slicer.

    Returns:
        The exit code.
    """
    threads = threads or Cores.of_this_process().beside_another
    worker = Worker(_chunks(sys.stdin.fileno()), _private_stdout(), Session(threads))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at Slicer's terminal is Slicer's
    with stop_signals(tell=worker.stop):
        return worker.run(preload, device)


class Worker:
    """Answers requests one after the other, in the order they come; cancelling goes ahead.

    Args:
        chunks: the bytes of the requests as they arrive.
        events: where the answers go.
        session: does the work.
    """

    def __init__(self, chunks: Iterable[bytes], events: TextIO, session: Session) -> None:
        self._chunks = chunks
        self._events = events
        self._session = session
        self._requests: SimpleQueue[Request | None] = SimpleQueue()  # safe in signal handlers
        self._stopping = False
        self._lock = threading.Lock()
        self._lock_events = threading.Lock()
        self._open: set[int] = set()  # numbers of the requests that wait or run
        self._cancelled: set[int] = set()
        self._heart = Heartbeat(self._emit)

    def run(self, preload: str | None = None, device: str = "auto") -> int:
        """Say hello, then work until stopped; returns the exit code."""
        hello = {"pid": os.getpid(), "protocol": PROTOCOL_VERSION, "version": __version__}
        self._emit({"event": HELLO, **hello})
        threading.Thread(target=self._listen, name="requests", daemon=True).start()
        if preload is not None:
            self._guard(None, partial(self._preload, preload, device))
        while (request := self._requests.get()) is not None:
            self._guard(request.id, partial(self._answer, request))
            if self._session.device_failed:
                self._refuse_what_waits()
                return EXIT_DEVICE_FAILED
        return 0

    def stop(self) -> None:
        """End as soon as the running work lets go; what waits is cancelled."""
        self._stopping = True
        self._requests.put(None)

    def _listen(self) -> None:
        for line in split_lines(self._chunks):
            try:
                if line is None:
                    limit = MAXIMUM_LINE_BYTES >> 20
                    raise ProtocolError(f"A request of more than {limit} MB is refused.")
                self._accept(decode_request(line))
            except ProtocolError as error:
                self._emit({"event": ERROR, "id": error.id, "message": str(error)})
        self.stop()

    def _accept(self, request: Request) -> None:
        if isinstance(request, QuitRequest):
            self.stop()
            return
        with self._lock:
            if isinstance(request, CancelRequest):
                if request.target not in self._open:
                    raise ProtocolError(f"Request {request.target} is not running.", request.id)
                self._cancelled.add(request.target)
                return
            if request.id in self._open:
                raise ProtocolError(f"Request {request.id} is still running.", None)
            self._open.add(request.id)
        self._requests.put(request)

    def _answer(self, request: Request) -> None:
        if self._is_cancelled(request.id):
            raise Cancelled
        with self._heart.beating(request.id):
            content = self._content(request)
        if self._session.device_failed:
            content["device_failed"] = True
        self._end({"event": RESULT, "id": request.id, **content})

    def _content(self, request: Request) -> dict[str, Any]:
        """Do the work; what the result has besides ``event`` and ``id``."""
        if isinstance(request, SegmentRequest):
            return self._session.segment(request, self._monitor(request))
        if isinstance(request, PrepareRequest):
            return self._session.prepare(request, self._monitor(request))
        if isinstance(request, ClickRequest):
            return self._session.click(request, self._monitor(request))
        if isinstance(request, CardRequest):
            return self._session.card(request)
        if isinstance(request, DevicesRequest):
            return self._session.devices(request)
        return {}

    def _preload(self, teacher: str, device: str) -> None:
        with self._heart.beating(None):
            segmenter = self._session.load(teacher, device)
        self._emit({"event": READY, "teacher": teacher, "device": str(segmenter.device)})

    def _guard(self, number: int | None, work: Callable[[], None]) -> None:
        """Run ``work``; whatever goes wrong becomes an event, and the worker lives on."""
        try:
            work()
        except Cancelled:
            self._end({"event": CANCELLED, "id": number})
        except UserError as error:
            self._refuse(number, error)
        except MemoryError:
            message = "The memory did not suffice: close other programs or crop the scan."
            self._end({"event": ERROR, "id": number, "message": message})
        except OSError as error:
            traceback.print_exc()  # stderr is the log
            what = str(error.filename or "A file")[:200]
            message = f"{what} could not be used ({error.strerror or error}): check its path."
            self._end({"event": ERROR, "id": number, "message": message})
        except Exception as error:
            traceback.print_exc()
            message = f"An unexpected {type(error).__name__} occurred: the log has the details."
            self._end({"event": ERROR, "id": number, "message": message})

    def _refuse(self, number: int | None, error: UserError) -> None:
        code = {}
        if isinstance(error, (ScanNeededError, DeviceFailedError)):
            code["code"] = error.code
        self._end({"event": ERROR, "id": number, "message": str(error), **code})

    def _refuse_what_waits(self) -> None:
        error = DeviceFailedError("The GPU stopped working, so the worker ends: send this again.")
        while not self._requests.empty():
            if (request := self._requests.get()) is not None:
                self._refuse(request.id, error)

    def _end(self, event: dict[str, Any]) -> None:
        """Tell the outcome; the request's number is free again before anybody can read it."""
        with self._lock:
            self._open.discard(event["id"])
            self._cancelled.discard(event["id"])
        self._emit(event)

    def _is_cancelled(self, number: int) -> bool:
        return self._stopping or number in self._cancelled

    def _monitor(self, request: Request) -> Monitor:
        from gsema_core.inference import Monitor

        def cancelled() -> bool:
            self._heart.advance()  # asked before each batch of windows
            return self._is_cancelled(request.id)

        return Monitor(self._progress(request), cancelled)

    def _progress(self, request: Request) -> Callable[[float, str], None]:
        last_phase, last_time = "", 0.0

        def tell(fraction: float, phase: str) -> None:
            nonlocal last_phase, last_time
            self._heart.advance()
            now = time.monotonic()
            if phase != last_phase or now - last_time >= PROGRESS_SECONDS:
                last_phase, last_time = phase, now
                content = {"fraction": round(fraction, 4), "phase": phase}
                self._emit({"event": PROGRESS, "id": request.id, **content})

        return tell

    def _emit(self, event: dict[str, Any]) -> None:
        line = encode_event(event)
        try:
            with self._lock_events:
                self._events.write(line)
                self._events.flush()
        except (OSError, ValueError):  # nobody listens any more
            self.stop()


def _chunks(descriptor: int) -> Iterator[bytes]:
    # Not sys.stdin: a thread that waits in it holds a lock that Python's shutdown wants.
    while chunk := os.read(descriptor, 2**16):
        yield chunk


def _private_stdout() -> TextIO:
    """Keep stdout for events; whatever a library prints goes to stderr from here on."""
    sys.stdout.flush()
    private = os.dup(1)
    os.dup2(2, 1)
    return os.fdopen(private, "w", encoding="utf-8", newline="\n")
