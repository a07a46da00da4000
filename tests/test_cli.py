"""The command line as a person sees it: whole screens, and a sentence for whatever is wrong."""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import openpyxl
import pytest
from click.testing import CliRunner, Result

import sheetgpt
from sheetgpt.book.template import path_of
from sheetgpt.book.words import load_words
from sheetgpt.cli import main
from sheetgpt.office import libreoffice as office
from sheetgpt.xlsx import write
from tests.places import CHECKPOINTS

PLAIN = str(CHECKPOINTS / "plain")
SMALL = ["--prompt", "ab", "--prompt-length", "2", "--context", "3"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments], prog_name="sheetgpt")


def screen(*arguments: object) -> str:
    """What a command prints when all is well."""
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return result.stdout


# --- screens -------------------------------------------------------------------------------------


def test_version():
    assert screen("--version") == f"sheetgpt, version {sheetgpt.__version__}\n"


def test_help():
    assert (
        screen("--help")
        == """\
Usage: sheetgpt [OPTIONS] COMMAND [ARGS]...

  Turn a GPT-2 checkpoint into a workbook whose formulas are the transformer.

  sheetgpt build --prompt "Mike is quick. He moves" -o mike.xlsx
  sheetgpt check mike.xlsx

Options:
  --version   Show the version and exit.
  -h, --help  Show this message and exit.

Commands:
  build     Write the workbook of a model, with a prompt typed in.
  check     Recalculate a workbook or page and compare every step with NumPy.
  complete  Print what the model writes after a prompt.
  fetch     Download one of the published GPT-2 models.
  lessons   Write a small workbook of lessons on the ideas behind the model.
  models    List the models that are here, with their sizes.
  page      Write a model as a web page whose steps are cells of JavaScript.
  tokenize  Print how a text becomes tokens.
"""
    )


@pytest.mark.parametrize(
    ("command", "example"),
    [
        ("build", '\n  sheetgpt build --prompt "The capital of France is" -o paris.xlsx\n'),
        ("check", "\n  sheetgpt check mike.xlsx --engine libreoffice\n"),
        ("complete", '\n  sheetgpt complete "Mike is quick. He moves"\n'),
        ("tokenize", '\n  sheetgpt tokenize " reindeer reinjury"\n'),
        ("fetch", "\n  sheetgpt fetch gpt2          124 million weights, 0.5 GB\n"),
        ("lessons", "\n  sheetgpt lessons --language ja -o lessons-ja.xlsx\n"),
        ("models", "Usage: sheetgpt models [OPTIONS]\n"),
        ("page", "\n  sheetgpt check sara.html\n"),
    ],
)
def test_help_of_commands(command, example):
    for spelling in ("--help", "-h"):
        text = screen(command, spelling)
        assert example in text
        options = text.partition("\nOptions:\n")[2]
        assert options.rstrip().endswith("Show this message and exit.")
        assert not re.search(r"^  -\S+(, -\S+)*( \S+)?( RANGE)?$\n(?!   )", options, re.M), (
            "no help"
        )


def test_models():
    assert screen("models").splitlines() == [
        "model    weights  blocks  width  heads  tokens  context    file",
        "nano     669,568      12     64      4    1024       64  2.7 MB",
        "stories  739,200      12     64      4    2048      128  3.0 MB",
        "not here yet: gpt2, gpt2-medium, gpt2-large, gpt2-xl, distilgpt2, tinystories-1m, "
        "tinystories-3m, tinystories-8m, tinystories-33m (sheetgpt fetch NAME)",
    ]


def test_tokenize():
    assert screen("tokenize", "Mike's quick é", "--model", PLAIN) == TOKENS


TOKENS = """\
“Mike”
  characters  004D letter  0069 letter  006B letter  0065 letter
  bytes  4D 69 6B 65
  round 1, merge 21:  Mi | k | e
  tokens 277 “Mi”  74 “k”  68 “e”
“'s”
  characters  0027 other  0073 letter
  bytes  27 73
  round 1, merge 14:  's
  tokens 270 “'s”
“ quick”
  characters  0020 space  0071 letter  0075 letter  0069 letter  0063 letter  006B letter
  bytes  20 71 75 69 63 6B
  round 1, merge 0:    | qu | i | c | k
  round 2, merge 2:    | qui | c | k
  round 3, merge 3:   qui | c | k
  round 4, merge 5:   qui | ck
  round 5, merge 6:   quick
  tokens 262 “ quick”
“ é”
  characters  0020 space  00E9 letter
  bytes  20 C3 A9
  tokens 220 “ ”  127 “<0xC3>”  102 “<0xA9>”
ids: 277 74 68 270 262 220 127 102
"""


def test_complete():
    assert screen("complete", "Mike is quick. He moves", "--tokens", 2) == (" quickly.\n")


def test_build(tmp_path):
    path = tmp_path / "a.xlsx"
    told, first, second = screen("build", "--model", PLAIN, *SMALL, "-o", path).splitlines()
    assert ESTIMATE.fullmatch(told + "\n")
    assert re.fullmatch(re.escape(str(path)) + r": 0\.\d MB, 2 of 3 tokens", first)
    assert re.fullmatch(r"“ab” → “.+”", second)
    assert os.listdir(tmp_path) == ["a.xlsx"]
    (tmp_path / "other").touch()
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_build_names_the_file_after_the_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    screen("build", "--model", PLAIN, *SMALL)
    assert os.listdir(tmp_path) == ["sheetgpt-plain.xlsx"]


@pytest.mark.parametrize("language", ["ja", "ko"])
def test_build_in_another_language(language, tmp_path):
    path = tmp_path / "a.xlsx"
    screen("build", "--model", PLAIN, *SMALL, "--language", language, "-o", path)
    start = openpyxl.load_workbook(path, read_only=True)["start"]
    assert start["A1"].value == load_words(language).tab("start").title


def test_build_with_words_of_ones_own(tmp_path):
    path, template = tmp_path / "a.xlsx", tmp_path / "my.toml"
    english = path_of("en").read_text(encoding="utf-8")
    template.write_text(english.replace("A GPT in a spreadsheet", "Hi"), encoding="utf-8")
    screen("build", "--model", PLAIN, *SMALL, "--template", template, "-o", path)
    assert openpyxl.load_workbook(path, read_only=True)["start"]["A1"].value == "Hi"


def test_force_replaces(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_text("old")
    screen("build", "--model", PLAIN, *SMALL, "-o", path, "--force")
    assert zipfile.is_zipfile(path)
    assert os.listdir(tmp_path) == ["a.xlsx"]


def test_check(tiny_workbook):
    """A line for each tab, one for other inputs, the verdict, and where the largest error is."""
    lines = screen("check", tiny_workbook).splitlines()
    heading, *table, empty, verdict, prediction = lines
    assert heading.split() == ["tab", "compared", "cells", "largest", "error", "verdict"]
    assert all(line.rstrip().endswith("holds") for line in table)
    (block,) = (line.split("  ") for line in table if line.startswith("block 0 "))
    assert [part.strip() for part in block if part][1] == "18 steps, 1 range of formulas"
    assert "3 other inputs" in table[-1] and len(table) == 24
    assert empty == ""
    assert re.fullmatch(
        r"All \d+ ranges hold \(numpy\); the largest error of [\d,]+ cells is \d\.\de-1\d, "
        r"at .+![A-Z]+\d+( with other input \d)?\.",
        verdict,
    )
    assert re.fullmatch("“ab c” → “.+”", prediction)


def test_check_step_by_step(tiny_workbook):
    lines = screen("check", tiny_workbook, "--verbose", "--engine", "cached").splitlines()
    assert lines[0].split() == ["tab", "step", "cells", "largest", "error", "verdict"]
    (q,) = (line.split() for line in lines if " h.0.attn.q " in line)
    assert q[:4] == ["block", "0", "h.0.attn.q", "40"]


def test_check_for_machines(tiny_workbook):
    report = json.loads(screen("check", tiny_workbook, "--json", "--engine", "cached"))
    steps, largest = report.pop("steps"), report.pop("largest_error")
    predicted = report.pop("predicted")
    assert predicted
    assert report == {
        "model": "plain",
        "engine": "cached",
        "prompt": "ab c",
        "n_tokens": 4,
        "holds": True,
        "first_problem": None,
        "notes": [],
    }
    assert largest in steps and largest["where"]
    (softmax,) = (step for step in steps if step["step"] == "softmax")
    assert 0 <= softmax.pop("error") <= 0.5e-9  # stored with few decimals
    assert softmax.pop("where").startswith("softmax!")
    assert softmax == {
        "tab": "softmax",
        "step": "softmax",
        "kind": "step",
        "cells": 560,
        "problem": "",
    }


def test_check_names_what_differs(tiny_workbook):
    result = run("check", tiny_workbook, "--model", CHECKPOINTS / "padded")
    assert result.exit_code == 1
    assert "The first step that differs: config\n" in result.stdout
    assert "config: the workbook's model has not the configuration of padded\n" in result.stdout


def test_what_the_report_says_is_not_mangled(tmp_path):
    """Infinity is no number of JSON, but a text may well say so."""
    path, few = tmp_path / "a.xlsx", ("--prompt-length", 8, "--context", 8)
    screen("build", "--model", PLAIN, "--prompt", "Infinity", *few, "-o", path)
    assert json.loads(screen("check", path, "--json"))["prompt"] == "Infinity"


def test_a_terminal_without_emoji(tiny_workbook):
    done = subprocess.run(
        [sys.executable, "-c", "from sheetgpt.cli import main; main()", "tokenize", "😀 é"],
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join(sys.path),
            "PYTHONUTF8": "0",
            "PYTHONIOENCODING": "latin-1",
        },
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"???\n  characters  1F600 other\n  bytes  F0 9F 98 80\n")


# --- what cannot be used -------------------------------------------------------------------------


ESTIMATE = re.compile(
    r"\w+: [\d,]+ weights, a file of about [\d.]+ [MG]B; "
    r"LibreOffice takes about [\d.]+ [MG]B of memory to open it\n"
)


def refusal(directory: Path, *arguments: object) -> str:
    """The sentence that a command refuses with; nothing in `directory` may change."""

    def listing() -> dict[str, bytes | None]:
        paths = sorted(directory.rglob("*"))
        return {str(path): path.read_bytes() if path.is_file() else None for path in paths}

    before = listing()
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    assert result.stdout == "" or ESTIMATE.fullmatch(result.stdout)  # refused on the way
    assert listing() == before
    lines = result.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("sheetgpt: ")
    sentence = lines[0].removeprefix("sheetgpt: ")
    assert not sentence.endswith(".") and "Traceback" not in sentence
    return sentence.replace(str(directory), "DIR")


def breaking(name: str, change: Callable[[Path], object]) -> Callable[[Path], Path]:
    """A copy of a recorded checkpoint, with something wrong."""

    def make(directory: Path) -> Path:
        path = Path(copytree(CHECKPOINTS / name, directory / "model"))
        change(path)
        return path

    return make


def edit_header(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], object]:
    def edit(directory: Path) -> None:
        path = directory / "model.safetensors"
        data = path.read_bytes()
        length = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + length])
        change(header)
        text = json.dumps(header).encode()
        path.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + length :])

    return edit


def rename(header: dict[str, Any]) -> None:
    header["h.9.ln_1.weight"] = header.pop("transformer.h.1.ln_1.weight")


def reshape(header: dict[str, Any]) -> None:
    header["transformer.h.1.ln_1.weight"]["shape"] = [4, 2]


def not_a_number(directory: Path) -> None:
    path = directory / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-4] + np.float32(np.nan).tobytes())


def configure(**changes: object) -> Callable[[Path], object]:
    def change(directory: Path) -> None:
        path = directory / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


def pickled(directory: Path) -> None:
    (directory / "model.safetensors").unlink()
    (directory / "pytorch_model.bin").write_bytes(b"\x80\x02cos\nsystem\n.")


def corrupt(directory: Path) -> None:
    (directory / "model.safetensors").write_bytes(b"\xff" * 100)


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "no checkpoint": (
        lambda directory: (directory / "empty").mkdir() or directory / "empty",  # type: ignore[func-returns-value]
        "DIR/empty has no model.safetensors, pytorch_model.bin, ckpt.pt, model.ckpt.index, wte.csv",
    ),
    "not there": (
        lambda directory: directory / "no",
        "'DIR/no' is neither a model that is here (nano, stories) nor a directory",
    ),
    "a name that cannot be": (lambda directory: "x" * 5000, "nor a directory"),
    "a file": (
        lambda directory: CHECKPOINTS / "plain" / "config.json",
        "config.json is no file of weights that is known here",
    ),
    "a missing tensor": (
        breaking("plain", edit_header(rename)),
        "DIR/model: the weights lack h.1.ln_1.weight",
    ),
    "a wrong shape": (
        breaking("plain", edit_header(reshape)),
        "DIR/model: tensor h.1.ln_1.weight has the shape [4, 2], expected [8]",
    ),
    "not a number": (breaking("plain", not_a_number), "holds nan at"),
    "another architecture": (
        breaking("plain", configure(model_type="llama")),
        "DIR/model/config.json: model_type is 'llama', but only 'gpt2' and 'gpt_neo' are supported",
    ),
    "another activation": (
        breaking("plain", configure(activation_function="mish")),
        "activation_function is 'mish', but only gelu_new, gelu, quick_gelu, relu, silu are sup",
    ),
    "a pickle": (
        breaking("plain", pickled),
        "DIR/model/pytorch_model.bin is a pickle in the form that PyTorch wrote before 1.6, which "
        "cannot be read here; give the same weights saved again, by torch.save(torch.load(OLD,",
    ),
    "a corrupt header": (
        breaking("plain", corrupt),
        "DIR/model/model.safetensors is not a whole safetensors file",
    ),
    "no vocabulary": (
        breaking("plain", lambda directory: (directory / "vocab.json").unlink()),
        "DIR/model has no vocabulary",
    ),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_checkpoints_that_cannot_be_used(tmp_path, monkeypatch, fault):
    monkeypatch.chdir(tmp_path)
    make, sentence = BROKEN[fault]
    model = make(tmp_path)
    assert sentence in refusal(tmp_path, "build", "--model", model, "-o", tmp_path / "a.xlsx")
    assert sentence in refusal(tmp_path, "complete", "a", "--model", model)


PROMPTS = {
    "a\x1bb": "the prompt's character 2 is the control character U+001B, which no workbook can "
    "hold; leave it out",
    "x" * 40: "the prompt has 40 tokens, but 32 fit; shorten it",
    "a\udcff": "the text's character 2 is U+DCFF, half of a surrogate pair, which is no "
    "character; remove it or give the whole pair",
}


@pytest.mark.parametrize("prompt", PROMPTS)
def test_prompts_that_cannot_be_used(tmp_path, prompt):
    path = tmp_path / "a.xlsx"
    assert (
        refusal(tmp_path, "build", "--model", PLAIN, "--prompt", prompt, "-o", path)
        == PROMPTS[prompt]
    )


def test_a_context_that_the_model_has_not(tmp_path):
    assert refusal(tmp_path, "build", "--model", PLAIN, "--context", 33, "-o", tmp_path / "a") == (
        "a context of 33 tokens was asked for, but plain reads at most 32; "
        "give --context 32 or less"
    )


def build_to(path: object, *more: object) -> list[object]:
    return ["build", "--model", PLAIN, *SMALL, "-o", path, *more]


def test_places_where_nothing_can_be_written(tmp_path):
    (tmp_path / "here.xlsx").write_text("something precious")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path, *build_to(tmp_path / "here.xlsx")) == (
        "DIR/here.xlsx exists already; give another name with -o, or --force to replace it"
    )
    for more in ([], ["--force"]):
        assert refusal(tmp_path, *build_to(tmp_path / "folder", *more)) == (
            "DIR/folder is a directory; give the name of a file with -o"
        )
        assert refusal(tmp_path, *build_to(tmp_path / "no" / "a.xlsx", *more)) == (
            "DIR/no/a.xlsx: there is no directory DIR/no; make it, or choose another"
        )
        assert refusal(tmp_path, *build_to(tmp_path / "pipe", *more)) == (
            "DIR/pipe is no file that can be replaced; give another name with -o"
        )
    assert "the workbook cannot be written (File name too long)" in refusal(
        tmp_path, *build_to(tmp_path / ("x" * 300))
    )


def test_words_that_cannot_be_used(tmp_path):
    """The sentences are tested in book/test_template.py; here, that nothing else happens."""
    (tmp_path / "here.xlsx").write_text("something precious")
    (tmp_path / "my.toml").write_text("[labels]\nhoem = 'Home'\n")
    to_file = build_to(tmp_path / "here.xlsx", "--force")
    assert refusal(tmp_path, *to_file, "--template", tmp_path / "my.toml") == (
        "DIR/my.toml: [labels] hoem is none of the texts of a workbook; "
        "perhaps it should be [labels] home"
    )
    assert refusal(tmp_path, *to_file, "--template", tmp_path / "no.toml") == (
        "DIR/no.toml cannot be read (No such file or directory); "
        f"give a template, such as a copy of {path_of('en')}"
    )
    assert refusal(tmp_path, *to_file, "--template", tmp_path / "my.toml", "--language", "en") == (
        "--template brings all the words, so it excludes --language; give one of them"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to root")
def test_a_directory_that_is_not_writable(tmp_path):
    (tmp_path / "folder").mkdir(mode=0o555)
    assert refusal(tmp_path, *build_to(tmp_path / "folder" / "a.xlsx")) == (
        "DIR/folder is not writable; choose another place with -o"
    )


def test_a_full_disk(tmp_path, monkeypatch):
    """No file that was there is touched, and nothing half-written stays."""

    def rows(*_: object) -> Iterator[bytes]:
        yield b""
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(write, "sheet_rows", rows)
    (tmp_path / "a.xlsx").write_text("something precious")
    assert refusal(tmp_path, *build_to(tmp_path / "a.xlsx", "--force")) == (
        "DIR/a.xlsx: the workbook cannot be written (No space left on device); "
        "choose another place with -o, or make room and build again"
    )


def test_an_interrupt_while_writing(tmp_path, monkeypatch):
    def rows(*_: object) -> Iterator[bytes]:
        yield b""
        raise KeyboardInterrupt

    monkeypatch.setattr(write, "sheet_rows", rows)
    (tmp_path / "a.xlsx").write_text("something precious")
    result = run(*build_to(tmp_path / "a.xlsx", "--force"))
    assert result.stderr == "sheetgpt: interrupted; nothing was written\n"
    assert result.exit_code == 2
    assert (tmp_path / "a.xlsx").read_text() == "something precious"
    assert os.listdir(tmp_path) == ["a.xlsx"]


def test_a_shortage_of_memory(tmp_path, monkeypatch):
    def rows(*_: object) -> Iterator[bytes]:
        raise MemoryError

    monkeypatch.setattr(write, "sheet_rows", rows)
    assert refusal(tmp_path, *build_to(tmp_path / "a.xlsx")) == (
        "there is not enough memory for this model; close other programs"
    )


# --- processes -----------------------------------------------------------------------------------


def start(*arguments: object, **how: Any) -> "subprocess.Popen[str]":
    """The command line as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", "from sheetgpt.cli import main; main()", *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), **how.pop("env", {})},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **how,
    )


def wait_until(happened: Callable[[], object], process: "subprocess.Popen[str]") -> None:
    until = time.monotonic() + 120
    while not happened():
        assert process.poll() is None and time.monotonic() < until, process.communicate()
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("number", "status", "sentence"),
    [
        (signal.SIGINT, 2, "sheetgpt: interrupted; nothing was written\n"),
        (signal.SIGTERM, 143, ""),
    ],
)
def test_signals_while_writing(tmp_path, nano, number, status, sentence):
    """What was there is still there, and no temporary file is left."""
    path = tmp_path / "a.xlsx"
    path.write_text("something precious")
    few = ("--prompt", "Mike", "--prompt-length", 8, "--context", 2)
    process = start("build", "--force", "-o", path, *few)
    wait_until(lambda: len(os.listdir(tmp_path)) > 1, process)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (status, sentence)
    assert ESTIMATE.fullmatch(out)
    assert path.read_text() == "something precious"
    assert os.listdir(tmp_path) == ["a.xlsx"]


def test_a_limit_of_the_system(tmp_path):
    """The system refuses to let the file grow, as a full disk does."""
    path = tmp_path / "a.xlsx"
    process = start(
        *build_to(path),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000)),
    )
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2 and ESTIMATE.fullmatch(out)
    assert err == (
        f"sheetgpt: {path}: the workbook cannot be written (File too large); "
        "choose another place with -o, or make room and build again\n"
    )
    assert os.listdir(tmp_path) == []


def test_no_libreoffice_is_left_running(tmp_path, tiny_workbook, libreoffice):
    process = start(
        "check", tiny_workbook, "--engine", "libreoffice", env={"TMPDIR": str(tmp_path)}
    )

    def running() -> list[str]:
        found = []
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                command = path.read_bytes().decode(errors="replace")
            except OSError:
                continue  # it has ended
            if str(tmp_path) in command and "soffice.bin" in command:
                found.append(command)
        return found

    wait_until(running, process)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143
    assert running() == []
    assert os.listdir(tmp_path) == []


def test_without_libreoffice(tmp_path, tiny_workbook, monkeypatch):
    monkeypatch.setattr(office, "soffice", lambda: None)
    assert refusal(tmp_path, "check", tiny_workbook, "--engine", "libreoffice").startswith(
        "LibreOffice was not found; install LibreOffice Calc and its Python bridge"
    )


def test_a_libreoffice_that_takes_too_long(tmp_path, tiny_workbook, monkeypatch, libreoffice):
    opened = office.opened
    monkeypatch.setattr(office, "opened", lambda path: opened(path, time_limit=0.2))
    assert "LibreOffice stopped, or took too long" in refusal(
        tmp_path, "check", tiny_workbook, "--engine", "libreoffice"
    )
