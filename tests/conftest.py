# SPDX-License-Identifier: MIT
"""Fixtures for the integration and browser tests."""
import contextlib
import json
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "integration"))

from stack import Stack  # noqa: E402
from upstream import Upstream, payload_bytes  # noqa: E402


def pytest_configure():
    """A run that is ended stops the servers that it has started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    outcome = yield
    item.failed = outcome.get_result().failed


@pytest.fixture
def stack_factory(request):
    """stack_factory(**options) starts a Stack that ends with the test; a failed test shows the workers' log."""
    with contextlib.ExitStack() as stacks:
        started = []

        def start(**options):
            started.append(stacks.enter_context(Stack(**options)))
            return started[-1]

        yield start
        if getattr(request.node, "failed", False):
            for stack in started:
                print(stack.logs()[-8000:])


@pytest.fixture
def stack(stack_factory):
    """Two workers with defaults, first snapshot there."""
    running = stack_factory()
    running.wait_fleet()
    return running


@pytest.fixture
def upstream():
    with Upstream() as running:
        yield running


@pytest.fixture(scope="session")
def payload():
    """payload(name): recorded bytes of an upstream answer."""
    return payload_bytes


@pytest.fixture(scope="session")
def golden():
    """golden(name): expected values of the payload of that name, as Python objects."""
    return lambda name: json.loads(payload_bytes("golden-" + name))
