"""The benchmarks are no part of what is installed, so their tests say where to find them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
