from __future__ import annotations

import os
import signal
import threading

import pytest

from gsema_core.errors import Cancelled
from gsema_core.stop_signals import STOPPING, ends_in_time, stop_signals

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")


def test_a_signal_becomes_a_flag_and_the_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    told: list[bool] = []
    with stop_signals(signal.SIGTERM, signal.SIGINT, tell=lambda: told.append(True)) as arrived:
        assert not arrived()
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)
        assert arrived()
    assert told == [True, True]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_what_a_cluster_sends_is_a_request_to_stop(number: signal.Signals) -> None:
    before = {each: signal.getsignal(each) for each in STOPPING}
    with ends_in_time():
        with stop_signals() as arrived:
            signal.raise_signal(number)
            assert arrived()
        with pytest.raises(Cancelled):
            signal.raise_signal(number)
    assert {each: signal.getsignal(each) for each in STOPPING} == before


def test_ctrl_c_stays_an_interrupt_unless_it_is_named() -> None:
    # Where the shell started the tests in the background, the signal is ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with stop_signals() as arrived, pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)
    assert not arrived()


def test_a_second_signal_while_the_first_is_handled_does_not_hang() -> None:
    told: list[bool] = []

    def tell() -> None:
        told.append(True)
        if len(told) == 1:
            signal.raise_signal(signal.SIGINT)

    with stop_signals(signal.SIGTERM, signal.SIGINT, tell=tell) as arrived:
        signal.raise_signal(signal.SIGTERM)
        assert arrived()
    assert told == [True, True]


def test_another_thread_gets_a_flag_that_nothing_sets() -> None:
    flags: list[bool] = []

    def work() -> None:
        with stop_signals() as arrived:
            flags.append(arrived())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert flags == [False]
