r"""Transcripts: what is typed at a terminal, what is printed, and the exit status.

A transcript is a text file in `tests/cli/transcripts`:

    # A line that begins with a number sign is a comment.
    # env STS_DECODER_KEY=929b…          set for all commands of the file
    # file meter.key: 929b…              stands in the folder before the first command; \n ends
                                         a line in it
    # words                              only words are compared, not where lines end
    # process                            is also run as a real program

    $ sts decode 5862 5789 9869 9135 7486
    what it prints on standard output
    ! what it prints on standard error
    [exit 1]

    $ STS_DECODER_KEY=00 sts decode 5862 5789 9869 9135 7486
    …

`sts-keys` is another program that may stand there; its random bytes are the same each time. The
commands of a file share one folder. An exit status of 0 is not written.
`STS_UPDATE_TRANSCRIPTS=1 pytest tests/cli` writes down what is printed now; read the difference
before you keep it.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click
from click.testing import CliRunner

from keys.cli import main as keys_main
from sts.cli import main
from sts.meter.cli import main as meter_main

FOLDER: Final = Path(__file__).with_name("transcripts")
KEYS_FOLDER: Final = Path(__file__).with_name("transcripts_of_keys")
PROGRAM: Final = Path(sys.executable).with_name("sts")
PROGRAMS: Final[Mapping[str, click.Command]] = {
    "sts": main,
    "sts-keys": keys_main,
    "sts-meter": meter_main,
}

# A zone with an offset, so that local time cannot slip into anything unseen.
FIXED: Final[Mapping[str, str]] = {
    "COLUMNS": "100",
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    "NO_COLOR": "1",
    "PYTHONIOENCODING": "utf-8",
    "TZ": "Africa/Johannesburg",
}

_SETTING: Final = re.compile(r"([A-Z][A-Z0-9_]*)=(.*)", re.DOTALL)
_DIRECTIVE: Final = re.compile(r"# (?P<name>env|file|words|process)\b ?(?P<rest>.*)")
_TIMEOUT_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a command left: its two outputs and its status."""

    stdout: str
    stderr: str
    status: int

    @property
    def lines(self) -> list[str]:
        """The outcome as it stands in a transcript."""
        lines = self.stdout.split("\n")[:-1] if self.stdout.endswith("\n") else [self.stdout + "⏎"]
        lines = [] if not self.stdout else lines
        lines += [f"! {line}".rstrip() for line in self.stderr.splitlines()]
        return [*lines, f"[exit {self.status}]"] if self.status else lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One command of a transcript.

    Attributes:
        line: Where it stands in the file.
        above: Comments and blank lines in front of it.
        command: As typed.
        expected: What is to follow.
    """

    line: int
    above: list[str]
    command: str
    expected: list[str] = field(default_factory=list)

    @property
    def words(self) -> list[str]:
        """The words of the command, without settings in front and without the program."""
        return self._said[1:]

    @property
    def program(self) -> str:
        """The program that is started."""
        assert self._said[0] in PROGRAMS, self.command
        return self._said[0]

    @property
    def _said(self) -> list[str]:
        words = shlex.split(self.command)
        while _SETTING.fullmatch(words[0]):
            words.pop(0)
        return words

    @property
    def settings(self) -> dict[str, str]:
        """The environment variables that are set for this command alone."""
        settings = {}
        for word in shlex.split(self.command):
            setting = _SETTING.fullmatch(word)
            if setting is None:
                break
            settings[setting[1]] = setting[2]
        return settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """A file of commands with what they print.

    Attributes:
        path: The file.
        environment: Variables for all of its commands.
        files: Names and contents of what stands in the folder.
        words_only: Whether only words are compared.
        as_process: Whether it is run as a real program too.
        steps: The commands.
        below: What follows the last command: nothing, or comments.
    """

    path: Path
    environment: Mapping[str, str]
    files: Mapping[str, str]
    words_only: bool
    as_process: bool
    steps: tuple[Step, ...]
    below: list[str]

    def prepare(self, folder: Path) -> None:
        """Put the files of the transcript into ``folder``."""
        for name, content in self.files.items():
            (folder / name).write_text(content.replace("\\n", "\n") + "\n", encoding="utf-8")
            (folder / name).chmod(0o600)

    def text_with(self, outcomes: Iterable[Outcome]) -> str:
        """Return the file as it must be for the transcript to be true."""
        lines: list[str] = []
        for step, outcome in zip(self.steps, outcomes, strict=True):
            lines += [*step.above, f"$ {step.command}", *outcome.lines]
        return "\n".join([*lines, *self.below]) + "\n"

    def differs(self, step: Step, outcome: Outcome) -> bool:
        """Tell whether ``outcome`` is not what the transcript has for ``step``."""
        if self.words_only:
            return " ".join(outcome.lines).split() != " ".join(step.expected).split()
        return outcome.lines != step.expected


Run = Callable[[list[str], Mapping[str, str]], Outcome]


def read(path: Path) -> Transcript:
    """Read a transcript."""
    steps: list[Step] = []
    waiting: list[str] = []
    found: dict[str, list[str]] = {"env": [], "file": [], "words": [], "process": []}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        directive = _DIRECTIVE.fullmatch(line)
        if directive:
            found[directive["name"]].append(directive["rest"])
        if line.startswith("$ "):
            steps.append(Step(line=number, above=waiting, command=line.removeprefix("$ ")))
            waiting = []
        elif line.startswith("#") or not line or not steps:
            waiting.append(line)
        else:
            # Blank lines turn out to be part of an output when more of it follows.
            steps[-1].expected.extend([*waiting, line])
            waiting = []
    return Transcript(
        path=path,
        environment=dict(setting.split("=", 1) for setting in found["env"]),
        files=dict(content.split(": ", 1) for content in found["file"]),
        words_only=bool(found["words"]),
        as_process=bool(found["process"]),
        steps=tuple(steps),
        below=waiting,
    )


def all_transcripts(folder: Path = FOLDER) -> list[Transcript]:
    """Read every transcript there is."""
    return [read(path) for path in sorted(folder.glob("*.txt"))]


def in_process(words: list[str], settings: Mapping[str, str], program: str = "sts") -> Outcome:
    """Run the command here and now; what is neither a status nor a refusal is raised."""
    foreign = {name: None for name in os.environ if name.startswith("STS_")}
    result = CliRunner().invoke(
        PROGRAMS[program],
        words,
        prog_name=program,
        env={**foreign, **FIXED, **settings},
        catch_exceptions=False,
    )
    return Outcome(stdout=result.stdout, stderr=result.stderr, status=result.exit_code)


def as_program(words: list[str], settings: Mapping[str, str]) -> Outcome:
    """Run the installed program, as a user does."""
    finished = subprocess.run(
        [PROGRAM, *words],
        check=False,
        encoding="utf-8",
        env={**program_environment(), **settings},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_TIMEOUT_SECONDS,
    )
    return Outcome(stdout=finished.stdout, stderr=finished.stderr, status=finished.returncode)


def program_environment() -> dict[str, str]:
    """Return the environment of a real program: ours, but for its settings."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("STS_")}
    return {**inherited, **FIXED}
