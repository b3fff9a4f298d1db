"""What Prefect is told before anything here imports it; whoever has set one of these keeps their own value."""

import os
from pathlib import Path

os.environ |= {
    "PREFECT_HOME": str(Path.cwd() / ".prefect"),
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",  # 20 s, its own choice, fail on a busy machine
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    "PREFECT_CLIENT_MAX_RETRIES": "2",  # five hold up a run for minutes when its server has died
    "PREFECT_INTERNAL_LOGGING_LEVEL": "CRITICAL",  # of a dead server we tell ourselves, in one line
    "DO_NOT_TRACK": "1",
} | os.environ
