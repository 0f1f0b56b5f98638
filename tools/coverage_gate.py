"""Judge a coverage report file by file: `python tools/coverage_gate.py coverage.json`.

Coverage itself knows one threshold for everything together, so that a well-tested table can hide
an untested branch in a cipher. Here every file is judged alone: pure code must have all its lines
and branches run, every other file at least a minimum. The rules are `[tool.sts.coverage]` in
`pyproject.toml`.
"""

import argparse
import json
import os
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Self

_ALL = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Which files must be covered how far.

    Attributes:
        minimum: Per cent of lines and branches that any judged file needs.
        pure: Patterns of files that need all.
        edges: Patterns of files that, although among the pure, need only the minimum.
        judged_with: For a mark, the files that only tests with that mark can reach.
    """

    minimum: float
    pure: tuple[str, ...]
    edges: tuple[str, ...]
    judged_with: Mapping[str, tuple[str, ...]]

    @classmethod
    def from_pyproject(cls, text: str) -> Self:
        """Read the rules from the text of a `pyproject.toml`."""
        table = tomllib.loads(text)["tool"]["sts"]["coverage"]
        return cls(
            minimum=table["minimum"],
            pure=tuple(table["pure"]),
            edges=tuple(table["edges"]),
            judged_with={mark: tuple(files) for mark, files in table["judged_with"].items()},
        )

    def needed(self, path: str, required: AbstractSet[str]) -> float:
        """Return the per cent that ``path`` needs when the marks ``required`` must have run."""
        if any(
            mark not in required and _matches(path, patterns)
            for mark, patterns in self.judged_with.items()
        ):
            return 0.0
        if _matches(path, self.pure) and not _matches(path, self.edges):
            return _ALL
        return self.minimum


def offenders(
    report: Mapping[str, Any], rules: Rules, *, required: AbstractSet[str] = frozenset()
) -> Iterator[str]:
    """Yield one line for each file of ``report`` that is covered too little.

    Args:
        report: What `coverage json` wrote.
        rules: How far each file must be covered.
        required: The marks whose tests cannot have been skipped.
    """
    for path, file in sorted(report["files"].items()):
        covered = file["summary"]["percent_covered"]
        needed = rules.needed(Path(path).as_posix(), required)
        if covered < needed:
            lines = ", ".join(_ranges(file["missing_lines"])) or "none"
            branches = ", ".join(_branch(*pair) for pair in file["missing_branches"]) or "none"
            yield (
                f"{path}: {covered:.2f} % of {needed:g} %; "
                f"missing lines {lines}; missing branches {branches}"
            )


def main(arguments: list[str] | None = None) -> int:
    """Print the offenders and return 1 if there are any."""
    parser = argparse.ArgumentParser(description="Judge a coverage report file by file.")
    parser.add_argument("report", type=Path, help="the file that `coverage json` wrote")
    parser.add_argument("--rules", type=Path, default=Path("pyproject.toml"))
    options = parser.parse_args(arguments)
    rules = Rules.from_pyproject(options.rules.read_text(encoding="utf-8"))
    report = json.loads(options.report.read_text(encoding="utf-8"))
    required = frozenset(filter(None, os.environ.get("STS_REQUIRE", "").split(",")))
    found = list(offenders(report, rules, required=required))
    for line in found:
        print(line)
    print(f"coverage: {len(report['files'])} files judged, {len(found)} covered too little")
    return 1 if found else 0


def _matches(path: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(path, pattern) for pattern in patterns)


def _ranges(lines: Iterable[int]) -> Iterator[str]:
    run: list[int] = []
    for line in [*sorted(lines), None]:
        if run and line != run[-1] + 1:
            yield str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}"
            run = []
        if line is not None:
            run.append(line)


def _branch(source: int, destination: int) -> str:
    # Coverage writes "leaves the function" as a negative destination.
    return f"{source}→{destination if destination > 0 else 'exit'}"


if __name__ == "__main__":
    sys.exit(main())
