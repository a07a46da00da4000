"""`sheetgpt lessons` as a person sees it."""

import pytest
from click.testing import CliRunner, Result

from sheetgpt.cli import main


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["lessons", *map(str, arguments)], prog_name="sheetgpt")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_writes_a_file_and_says_so(here):
    result = run()
    assert (result.exit_code, result.stdout) == (0, "lessons.xlsx: 0.2 MB\n")
    assert (here / "lessons.xlsx").is_file()


def test_it_replaces_nothing_unasked(here):
    (here / "lessons.xlsx").write_text("mine")
    result = run()
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == (
        "sheetgpt: lessons.xlsx exists already; "
        "give another name with -o, or --force to replace it\n"
    )
    assert (here / "lessons.xlsx").read_text() == "mine"
    assert run("--force").exit_code == 0


def test_a_place_that_is_not_there(here):
    result = run("-o", "nowhere/lessons.xlsx")
    assert result.exit_code == 2
    assert "there is no directory nowhere" in result.stderr


def test_there_is_no_model_to_check(lessons_in, here):
    (here / "lessons.xlsx").hardlink_to(lessons_in("en"))
    result = CliRunner().invoke(main, ["check", "lessons.xlsx"], prog_name="sheetgpt")
    assert result.exit_code == 2
    assert result.stderr == (
        "sheetgpt: lessons.xlsx: this is the workbook of the lessons, which holds no model to "
        "compare with; give one that sheetgpt build has written\n"
    )
