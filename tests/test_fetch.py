"""`sheetgpt fetch` as a process, by the real huggingface_hub, from a hub on this machine."""

import hashlib
import importlib.util
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sheetgpt.checkpoint import hub

if not importlib.util.find_spec("huggingface_hub"):
    pytest.skip(
        "huggingface_hub is not installed, so nothing is fetched; pip install 'sheetgpt[hub]'",
        allow_module_level=True,
    )

from tests.places import PLAIN

COMMIT = "0123456789abcdef0123456789abcdef01234567"
NAMES = "openai-community/gpt2|roneneldan/TinyStories-1M"
ADDRESS = re.compile(rf"/(?:{NAMES})/resolve/(?:main|[0-9a-f]{{40}})/([\w.]+)")


@dataclass
class FakeHub:
    """A hub that has one model; what it was asked, and how it is to misbehave."""

    directory: Path = PLAIN
    endpoint: str = ""
    asked: list[str] = field(default_factory=list)  # method, file, and range if one was given
    refuse: tuple[int, str] | None = None  # a status and the hub's code of an error
    breaks_off_at: int | None = None  # in model.safetensors, once
    stalls: bool = False  # where it would break off

    def answer(self, request: BaseHTTPRequestHandler, with_body: bool) -> None:
        found = ADDRESS.fullmatch(request.path)
        refuse = self.refuse or (None if found else (404, "RepoNotFound"))
        path = self.directory / found[1] if found else self.directory
        if refuse is None and not path.is_file():
            refuse = (404, "EntryNotFound")
        if refuse is not None:
            request.send_response(refuse[0])
            request.send_header("X-Error-Code", refuse[1])
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        data = path.read_bytes()
        wanted = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        self.asked.append(f"{request.command} {path.name}" + (f" {wanted[1]}-" if wanted else ""))
        start = int(wanted[1]) if wanted else 0
        request.send_response(206 if wanted else 200)
        request.send_header("ETag", f'"{hashlib.sha256(data).hexdigest()}"')
        request.send_header("X-Repo-Commit", COMMIT)
        request.send_header("Accept-Ranges", "bytes")
        if wanted:
            request.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        request.send_header("Content-Length", str(len(data) - start))
        request.end_headers()
        if not with_body:
            return
        if path.name != "model.safetensors" or self.breaks_off_at is None:
            request.wfile.write(data[start:])
            return
        request.wfile.write(data[start : self.breaks_off_at])
        request.wfile.flush()
        while self.stalls:
            time.sleep(0.01)
        self.breaks_off_at = None
        request.close_connection = True


@pytest.fixture
def fake_hub() -> Iterator[FakeHub]:
    fake = FakeHub()

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            fake.answer(self, with_body=False)

        def do_GET(self) -> None:
            fake.answer(self, with_body=True)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.endpoint = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield fake
    fake.stalls = False
    server.shutdown()
    server.server_close()


Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(fake_hub: FakeHub, tmp_path: Path) -> Start:
    """Starts the command line with the hub on this machine and a cache of its own."""

    def process(
        *arguments: str, before: str = "", env: dict[str, str] | None = None, **how: Any
    ) -> "subprocess.Popen[str]":
        ours = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
        ours |= {
            "PYTHONPATH": os.pathsep.join(sys.path),
            "HF_ENDPOINT": fake_hub.endpoint,
            "HF_HOME": str(tmp_path / "cache"),
            "NO_PROXY": "127.0.0.1",
        }
        return subprocess.Popen(
            [sys.executable, "-c", f"{before}\nfrom sheetgpt.cli import main; main()", *arguments],
            env=ours | (env or {}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            **how,
        )

    return process


@pytest.fixture
def screen(start: Start) -> Callable[..., str]:
    """What a command prints when all is well."""

    def run(*arguments: str, **how: Any) -> str:
        process = start(*arguments, **how)
        out, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, "")
        return out

    return run


@pytest.fixture
def refusal(start: Start) -> Callable[..., str]:
    """The one sentence that a command refuses with."""

    def run(*arguments: str, **how: Any) -> str:
        process = start(*arguments, **how)
        out, err = process.communicate(timeout=120)
        assert (process.returncode, out) == (2, "")
        assert err.startswith("sheetgpt: ") and err.count("\n") == 1, err
        return err.removeprefix("sheetgpt: ").rstrip("\n")

    return run


def snapshot(tmp_path: Path) -> Path:
    return tmp_path / "cache/hub/models--openai-community--gpt2/snapshots" / COMMIT


# --- what goes well ------------------------------------------------------------------------------


@pytest.mark.parametrize("weights", ["pytorch_model.bin", "model.safetensors"])
def test_fetch_a_tinystories(weights, fake_hub, screen, tmp_path):
    """In the form in which it was published, or in the one in which it may be saved again."""
    kept = {"pytorch_model.bin": "unscaled", "model.safetensors": "plain"}[weights]
    fake_hub.directory = PLAIN.parent / kept
    out = screen("fetch", "tinystories-1m")
    assert "weights in " in out and "models--roneneldan--TinyStories-1M/snapshots" in out
    assert f"GET {weights}" in fake_hub.asked
    assert "tinystories-1m" in screen("models", env={"HF_HUB_OFFLINE": "1"}).split()


def test_fetch_and_use_without_network(fake_hub, screen, tmp_path):
    assert screen("fetch", "gpt2") == f"gpt2: 4,256 weights in {snapshot(tmp_path)}\n"
    assert {path.name: path.read_bytes() for path in snapshot(tmp_path).iterdir()} == {
        name: (PLAIN / name).read_bytes() for name in hub.FILES
    }
    asked = len(fake_hub.asked)
    without = "import sys; sys.modules['huggingface_hub'] = None"
    assert "\ngpt2       4,256" in screen("models", before=without)
    assert screen("tokenize", "qu", "--model", "gpt2", before=without).endswith("ids: 256\n")
    built = screen("build", "--model", "gpt2", "--prompt", "a", "--context", "2")
    assert "\nsheetgpt-gpt2.xlsx: " in built
    assert len(fake_hub.asked) == asked


def test_fetching_again_downloads_nothing(fake_hub, screen):
    first = screen("fetch", "gpt2")
    fake_hub.asked.clear()
    assert screen("fetch", "gpt2") == first
    assert {each.split()[0] for each in fake_hub.asked} == {"HEAD"}
    assert screen("fetch", "gpt2", env={"HF_HUB_OFFLINE": "1"}) == first


def test_a_download_that_breaks_off_goes_on(fake_hub, start, screen):
    """Within one command; older versions of huggingface_hub need the second one."""
    fake_hub.breaks_off_at = 10_000
    start("fetch", "gpt2", before=IN_SMALL_CHUNKS).communicate(timeout=120)
    assert screen("fetch", "gpt2").startswith("gpt2: 4,256 weights in ")
    assert "GET model.safetensors 10000-" in fake_hub.asked
    assert [each for each in fake_hub.asked if each.startswith("GET config")] == ["GET config.json"]


# It writes ten megabytes at once, and goes on behind what it has written.
IN_SMALL_CHUNKS = "from huggingface_hub import constants; constants.DOWNLOAD_CHUNK_SIZE = 1000"


# --- what does not -------------------------------------------------------------------------------


def test_an_interrupt(fake_hub, start, screen):
    fake_hub.breaks_off_at, fake_hub.stalls = 10_000, True
    process = start("fetch", "gpt2")
    while "GET model.safetensors" not in fake_hub.asked:
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (2, "")
    assert err == "sheetgpt: interrupted; sheetgpt fetch gpt2 goes on with what is missing\n"
    fake_hub.breaks_off_at, fake_hub.stalls = None, False
    assert screen("fetch", "gpt2").startswith("gpt2: 4,256 weights in ")


def test_offline(fake_hub, refusal):
    assert refusal("fetch", "gpt2", env={"HF_HUB_OFFLINE": "1"}) == (
        "gpt2 cannot be fetched, for HF_HUB_OFFLINE is set; take it away, and run sheetgpt fetch "
        "gpt2 again"
    )
    assert fake_hub.asked == []


def test_no_hub(refusal):
    nowhere = "http://127.0.0.1:9"  # "discard", where nobody listens
    assert refusal("fetch", "gpt2", env={"HF_ENDPOINT": nowhere}, before=IMPATIENT) == (
        f"{nowhere} cannot be reached, or broke off; look at the connection, and run sheetgpt "
        "fetch gpt2 again, which goes on with what is missing"
    )


IMPATIENT = "import time; time.sleep = lambda seconds: None"  # it waits before it tries again


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (404, "RepoNotFound", "has no openai-community/gpt2, or not for you; look at HF_ENDPOINT"),
        (403, "GatedRepo", "/openai-community/gpt2 is only for those whom its owners let in; ask"),
        (404, "EntryNotFound", "/openai-community/gpt2 has not all of config.json, vocab.json, "),
        (418, "", "answers with status 418; wait a while, and run sheetgpt fetch gpt2 again"),
    ],
)
def test_what_the_hub_refuses(status, code, said, fake_hub, refusal):
    fake_hub.refuse = (status, code)
    text = refusal("fetch", "gpt2", before=IMPATIENT)
    assert text.startswith(fake_hub.endpoint) and said in text


ROOM = "has no room for gpt2; make room there, or set HF_HOME to another directory, and run"


def test_no_room_is_known_before(fake_hub, refusal, tmp_path):
    full = "import shutil; shutil.disk_usage = lambda path: shutil._ntuple_diskusage(9, 4, 5)"
    assert refusal("fetch", "gpt2", before=full).startswith(f"{tmp_path}/cache/hub {ROOM}")
    assert not any(each.startswith("GET model") for each in fake_hub.asked)


def test_no_room_is_met_on_the_way(refusal, tmp_path):
    limits = (10_000, 10_000)  # between the vocabulary and the weights
    text = refusal(
        *("fetch", "gpt2"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, limits),
    )
    assert text.startswith(f"{tmp_path}/cache/hub {ROOM}")


def test_a_cache_that_cannot_be(refusal, tmp_path):
    (tmp_path / "cache").write_text("in the way")
    text = refusal("fetch", "gpt2")
    assert text.startswith(f"{tmp_path}/cache") and (
        " cannot be written (Not a directory); set HF_HOME to another directory, and run" in text
    )


def test_what_came_is_damaged(fake_hub, refusal, tmp_path):
    fake_hub.directory = tmp_path / "damaged"
    fake_hub.directory.mkdir()
    for name in hub.FILES:
        (fake_hub.directory / name).write_bytes((PLAIN / name).read_bytes())
    (fake_hub.directory / "model.safetensors").write_bytes(b"not these bytes")
    assert "model.safetensors is not a whole safetensors file" in refusal("fetch", "gpt2")
