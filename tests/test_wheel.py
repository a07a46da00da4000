"""The wheel, installed where no checkout is near: it brings templates and the default model."""

import importlib.util
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(*command: object, **how: object) -> "subprocess.CompletedProcess[str]":
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "PIP_"))}
    return subprocess.run(
        [str(part) for part in command],
        env=environment | {"PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        **how,  # type: ignore[call-overload]
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built with the hatchling that is here, or with one that pip fetches."""
    to = tmp_path_factory.mktemp("wheel")
    isolation = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    built = run(sys.executable, "-m", "pip", "wheel", "--no-deps", *isolation, "-w", to, ROOT)
    if built.returncode and not isolation:
        pytest.skip("hatchling, which builds the wheel, is not installed and cannot be fetched")
    assert built.returncode == 0, built.stderr
    (path,) = to.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment that has the wheel and, from here, what it needs."""
    home = tmp_path_factory.mktemp("environment")
    assert run(sys.executable, "-m", "venv", "--without-pip", home).returncode == 0
    (site,) = home.glob("lib/python*/site-packages")
    (site / "needs.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", home / "bin" / "python"]
    done = run(*pip, "install", "--no-deps", "--no-index", "--ignore-installed", wheel)
    assert done.returncode == 0, done.stderr
    return home / "bin"


def test_contents(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        *(f"sheetgpt/{name}.py" for name in ("__init__", "cli/options", "build", "formula/expr")),
        "sheetgpt/office/server.py",
        "sheetgpt/templates/en.toml",
        "sheetgpt/templates/ja.toml",
        "sheetgpt/templates/ko.toml",
        *(
            f"sheetgpt/weights/{model}/{name}"
            for model in ("nano", "stories")
            for name in ("config.json", "model.safetensors", "vocab.json", "merges.txt")
        ),
    } <= names
    tops = {name.split("/")[0] for name in names if ".dist-info" not in name}
    assert tops == {"sheetgpt"}
    assert not any("__pycache__" in name or name.endswith(".xlsx") for name in names)


def test_builds_and_checks_from_anywhere(installed, tmp_path):
    where = run(
        installed / "python", "-c", "import sheetgpt; print(sheetgpt.__file__)", cwd=tmp_path
    )
    assert str(installed.parent) in where.stdout, where.stderr
    program = installed / "sheetgpt"
    small = ("--context", 8, "--prompt-length", 24)
    built = run(program, "build", *small, "-o", "a.xlsx", cwd=tmp_path)
    assert built.returncode == 0, built.stderr
    assert "“Mike is quick. He moves” → “ quickly" in built.stdout
    checked = run(program, "check", "a.xlsx", "--model", "stories", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "ranges hold (numpy)" in checked.stdout
