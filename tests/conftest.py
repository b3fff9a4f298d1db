"""What holds for every test: Prefect keeps its state in a directory of its own and reports to nobody; samples."""

import logging
import os
import random
import tempfile

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let CI run some of the tests that take minutes, others with every commit."""
    parser.addoption("--sample", nargs=2, metavar=("N", "WORD"), help="run N of the tests; WORD decides which")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the sample of the tests that were asked for."""
    if sample := config.getoption("sample"):
        kept = random.Random(sample[1]).sample(items, min(int(sample[0]), len(items)))
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = [item for item in items if item in kept]


def pytest_configure(config: pytest.Config) -> None:
    """Prefect reads its settings when it is imported, which collecting a test may do: so before anything is collected."""
    home = tempfile.TemporaryDirectory(prefix="wenliu-prefect-", ignore_cleanup_errors=True)
    config.add_cleanup(home.cleanup)
    config.add_cleanup(lambda: setattr(logging, "raiseExceptions", False))  # Prefect's last words find stderr closed
    os.environ |= {
        "PREFECT_HOME": home.name,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "false",
    }
    os.environ.pop("PREFECT_API_URL", None)
