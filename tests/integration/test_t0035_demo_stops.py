# SPDX-License-Identifier: MIT
"""The demo daemon stops at once, whatever it does."""
import signal
import threading

import pytest

from demo_daemon import PATIENCE, begin_inference, daemon  # noqa: F401

SOON = 3  # seconds; an inference lasts for minutes here, and a client waits as long


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_even_in_an_inference(daemon, sig):
    running = daemon("inference", "--latency-ms", 5 * PATIENCE * 1000)
    assert running.get("/health").status == 200
    with begin_inference(running):
        running.process.send_signal(sig)
        assert running.process.wait(SOON) == 0


def test_it_stops_beside_a_client_that_does_not_read(daemon):
    running = daemon("inference", "--servers", 200, "--warm", "--latency-ms", 0)
    with begin_inference(running) as sock:
        assert sock.recv(1)
        running.process.terminate()
        assert running.process.wait(SOON) == 0


def test_it_stops_under_load(daemon):
    running = daemon("inference")
    served = threading.Semaphore(0)

    def send_requests():
        try:
            while running.get("/health").status == 200:
                served.release()
        except OSError:
            pass

    clients = [threading.Thread(target=send_requests) for _ in range(8)]
    for client in clients:
        client.start()
    assert all(served.acquire(timeout=PATIENCE) for _ in range(100))
    running.process.terminate()
    assert running.process.wait(SOON) == 0
    for client in clients:
        client.join()
