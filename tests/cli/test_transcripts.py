"""What the command `sts` prints is what its transcripts say, to the letter."""

import difflib
import os
from pathlib import Path

import pytest

from tests.cli.transcript import Run, Transcript, all_transcripts, as_program, in_process

UPDATE = bool(os.environ.get("STS_UPDATE_TRANSCRIPTS"))
TRANSCRIPTS = all_transcripts()


def _check(transcript: Transcript, run: Run) -> None:
    outcomes = []
    wrong = []
    for step in transcript.steps:
        outcome = run(step.words, {**transcript.environment, **step.settings})
        outcomes.append(outcome)
        if transcript.differs(step, outcome):
            difference = difflib.unified_diff(
                step.expected, outcome.lines, "transcript", "printed", lineterm=""
            )
            wrong.append("\n".join([f"line {step.line}: $ {step.command}", *difference]))
    if UPDATE:
        transcript.path.write_text(transcript.text_with(outcomes), encoding="utf-8")
    elif wrong:
        advice = "STS_UPDATE_TRANSCRIPTS=1 pytest tests/cli writes down what is printed now"
        pytest.fail("\n\n".join([*wrong, advice]), pytrace=False)


@pytest.mark.parametrize("transcript", TRANSCRIPTS, ids=lambda transcript: transcript.path.stem)
def test_the_transcript_is_true(
    transcript: Transcript, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    transcript.prepare(tmp_path)
    _check(transcript, in_process)


@pytest.mark.skipif(UPDATE, reason="one writer is enough")
@pytest.mark.parametrize(
    "transcript",
    [transcript for transcript in TRANSCRIPTS if transcript.as_process],
    ids=lambda transcript: transcript.path.stem,
)
def test_the_transcript_is_true_of_the_installed_program(
    transcript: Transcript, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    transcript.prepare(tmp_path)
    _check(transcript, as_program)
