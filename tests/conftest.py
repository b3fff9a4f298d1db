"""What holds for every test: Prefect keeps its state in a directory of its own and reports to nobody."""

import os
import tempfile

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Prefect reads its settings when it is imported, which collecting a test may do: so before anything is collected."""
    home = tempfile.TemporaryDirectory(prefix="wenliu-prefect-", ignore_cleanup_errors=True)
    config.add_cleanup(home.cleanup)
    os.environ |= {
        "PREFECT_HOME": home.name,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "DO_NOT_TRACK": "1",
        "GX_ANALYTICS_ENABLED": "false",
    }
    os.environ.pop("PREFECT_API_URL", None)
