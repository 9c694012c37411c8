"""Figures in README and docs are of the starter that ships, or say that they are not."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
import figures

ROOT = figures.ROOT
DOCUMENTS = {path.name: path.read_text(encoding="utf-8") for path in figures.documents()}
COMMAND = "benchmarks/correction.py --data DIR --set forearm_masks"


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_figure_is_of_the_shipped_starter_or_says_that_it_is_not(name):
    stale = [block.command for block in figures.blocks_in(DOCUMENTS[name]) if not block.is_true]
    assert not stale, f"{name}: run `make figures`"


def test_marks_are_well_formed_and_name_scripts_that_are_there():
    for name, text in DOCUMENTS.items():
        blocks = figures.blocks_in(text)
        assert text.count("; starter ") == text.count("<!-- end of ") == len(blocks), name
        assert all((ROOT / block.command.split()[0]).is_file() for block in blocks), name


@pytest.mark.parametrize(
    ("name", "scripts"),
    [
        ("README.md", {"benchmarks/real.py", "benchmarks/correction.py", "recipes/measure.py"}),
        ("correction.md", {"benchmarks/correction.py"}),
        ("model_card.md", {"benchmarks/real.py", "recipes/measure.py", "recipes/shots.py"}),
        ("ablations.md", {"benchmarks/real.py"}),
        ("performance.md", {"benchmarks/speed.py"}),
    ],
)
def test_what_people_decide_by_stands_between_marks(name, scripts):
    assert scripts <= {block.command.split()[0] for block in figures.blocks_in(DOCUMENTS[name])}


@pytest.fixture
def document(tmp_path):
    def write(starter, how, text="\n| old |\n"):
        block = figures.Block("table", COMMAND, starter, how, text)
        path = tmp_path / "page.md"
        path.write_text(f"Before.\n\n{block}\n\nAfter.\n", encoding="utf-8")
        return path

    return write


@pytest.fixture
def called(monkeypatch):
    def call(*options):
        monkeypatch.setattr(sys, "argv", ["benchmarks/correction.py", *options])

    return call


OTHER = "0.0.1 0123456789ab"


def only_block(path):
    (block,) = figures.blocks_in(path.read_text(encoding="utf-8"))
    return block


def test_a_command_replaces_what_stands_between_its_own_marks(document, called):
    path = document(OTHER, 3.0)
    assert not only_block(path).is_true
    called("--set", "forearm_masks", "--data", "/elsewhere", "--write", str(path))
    figures.write([path], {"table": "| new |", "another": ""})
    assert only_block(path).starter == figures.shipped_starter()
    assert only_block(path).text.strip() == "| new |"
    assert path.read_text(encoding="utf-8").startswith("Before.\n\n<!--")
    assert path.read_text(encoding="utf-8").endswith("-->\n\nAfter.\n")


@pytest.mark.parametrize(
    ("options", "view"),
    [
        (["--set", "nupt_fpv"], "table"),
        (["--set", "forearm_masks", "--model", "mine"], "table"),
        (["--set", "forearm_masks"], "another"),
    ],
)
def test_what_was_measured_otherwise_is_refused(document, called, options, view):
    path = document(OTHER, 3.0)
    before = path.read_bytes()
    called(*options, "--write", str(path))
    with pytest.raises(SystemExit, match="has no mark"):
        figures.write([path], {view: "| new |"})
    assert path.read_bytes() == before


def test_what_is_old_says_so_once_until_it_is_measured_again(document, called):
    path = document(OTHER, 100.0)
    aged = only_block(path).aged()
    assert aged.is_true
    assert aged.aged() == aged
    assert f"`python {COMMAND}`" in aged.text
    path.write_text(str(aged), encoding="utf-8")
    called("--data", "X", "--set", "forearm_masks")
    figures.write([path], {"table": "| new |"})
    assert only_block(path).text.strip() == "| new |"
    assert not only_block(path).says_earlier


def test_what_a_person_typed_is_stamped(document):
    path = document(OTHER, None)
    path.write_text(str(only_block(path).aged()), encoding="utf-8")
    figures._stamp(path, COMMAND)
    assert only_block(path) == figures.Block(
        "table", COMMAND, figures.shipped_starter(), None, "\n| old |\n"
    )


def test_minutes_are_run_and_hours_are_told(document, monkeypatch, capsys):
    quick, slow = document(OTHER, 3.0), document(OTHER, 300.0)
    ran = []
    monkeypatch.setattr(figures, "ROOT", quick.parent)
    monkeypatch.setattr(figures, "documents", lambda: [quick])
    monkeypatch.setattr(figures.subprocess, "run", lambda words, **_: ran.append(words))
    for minutes, places, runs in (
        (10, {"--data": Path("here")}, 0),
        (1000, {}, 0),
        (1000, {"--data": Path("here")}, 1),
    ):
        slow = document(OTHER, 300.0)
        figures._renew(minutes, places)
        assert len(ran) == runs
        assert only_block(slow).says_earlier
        assert (f"python {COMMAND} --write page.md" in capsys.readouterr().out) == (not runs)
    assert ran[0][1:] == [*COMMAND.replace("DIR", "here").split(), "--write", "page.md"]


def test_the_digest_is_of_what_decides_about_a_mask(monkeypatch):
    path = figures.resolve(figures.STARTER)
    card, weights = figures.read_card(path), figures.load_file(path)
    of_file = figures.shipped_starter()

    def digest(**changes):
        monkeypatch.setattr(figures, "read_card", lambda _: card.model_copy(update=changes))
        figures.shipped_starter.cache_clear()
        return figures.shipped_starter()

    try:
        assert digest(metrics=(), description="other") == of_file
        assert digest(threshold=0.3) != of_file
        assert len({digest(scales=scales) for scales in ((1, 2), (2.0,), (1.0,))}) == 3
        changed = {name: values * 2 for name, values in weights.items()}
        monkeypatch.setattr(figures, "load_file", lambda _: changed)
        assert digest() != of_file
    finally:
        figures.shipped_starter.cache_clear()
