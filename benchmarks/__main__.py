"""Run the benchmarks, all or those that are named: `python -m benchmarks [NAME ...]`; `--list` says which there are."""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
#: Modules beside the benchmarks that make something, or are used by others.
OTHERS = frozenset({"__init__", "__main__", "score", "set_samples", "texts", "train_labels"})


def benchmarks() -> dict[str, str]:
    """Return the benchmarks by name, each with the question it answers: the first sentence of its docstring."""
    questions = {}
    for path in sorted(HERE.glob("*.py")):
        if path.stem not in OTHERS:
            told = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
            questions[path.stem] = told.partition("`python -m")[0].strip().rstrip(":").splitlines()[0]
    return questions


def main() -> int:
    """Run one after the other, so that none disturbs the next; return 1 when one of them is not what it should be."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true")
    args = parser.parse_args()
    known = benchmarks()
    if unknown := set(args.names) - set(known):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    failed = []
    for name in args.names or known:
        print(f"{name}: {known[name]}", flush=True)
        if not args.list:
            if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
                failed.append(name)
            print(flush=True)
    if failed:
        print(f"not as good as it should be: {', '.join(failed)}")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
