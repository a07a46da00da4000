"""The published GPT-2s on the Hugging Face hub: fetching them, and finding them again.

The package huggingface_hub fetches, into the cache that it shares with other programs. To find
a model there, the layout of that cache is enough (huggingface_hub, "Understand caching"):
`models--OWNER--NAME/refs/main` holds the name of a commit, `snapshots/COMMIT` the files of it.
So what was fetched is found without network, and without the package.
"""

import errno
import os
import warnings
from pathlib import Path

from sheetgpt.checkpoint.formats import PICKLE, SINGLE, has
from sheetgpt.errors import CheckpointError

REPOSITORIES = {
    "gpt2": "openai-community/gpt2",
    "gpt2-medium": "openai-community/gpt2-medium",
    "gpt2-large": "openai-community/gpt2-large",
    "gpt2-xl": "openai-community/gpt2-xl",
    "distilgpt2": "distilbert/distilgpt2",
    "tinystories-1m": "roneneldan/TinyStories-1M",
    "tinystories-3m": "roneneldan/TinyStories-3M",
    "tinystories-8m": "roneneldan/TinyStories-8M",
    "tinystories-33m": "roneneldan/TinyStories-33M",
}
VOCABULARY = ("vocab.json", "merges.txt")
FILES = ("config.json", *VOCABULARY, SINGLE)  # the longest comes last
# These were published before safetensors was; should they have been saved again, that will do.
OF_PYTORCH = ("config.json", *VOCABULARY, PICKLE)
INSTEAD = {PICKLE: SINGLE}

NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def cache() -> Path:
    """Where huggingface_hub keeps what it has fetched, by its own rules."""
    home = os.getenv("XDG_CACHE_HOME", "~/.cache")
    home = os.getenv("HF_HOME", os.path.join(home, "huggingface"))
    path = os.getenv("HUGGINGFACE_HUB_CACHE", os.path.join(home, "hub"))  # its older name
    return Path(os.path.expandvars(os.path.expanduser(os.getenv("HF_HUB_CACHE", path))))


def find(name: str) -> Path | None:
    """The directory of a published model, if all that it needs has been fetched.

    transformers may have fetched it, too; until 2024 the repositories had no owner.
    """
    for repository in (REPOSITORIES[name], name):
        place = cache() / f"models--{repository.replace('/', '--')}"
        try:
            commit = (place / "refs" / "main").read_text().strip()
        except (OSError, UnicodeDecodeError):
            continue  # not fetched
        snapshot = place / "snapshots" / commit
        weights = (has(snapshot, file) for file in (SINGLE, PICKLE))
        vocabularies = (has(snapshot, *files) for files in (VOCABULARY, ("tokenizer.json",)))
        if has(snapshot, "config.json") and any(weights) and any(vocabularies):
            return snapshot
    return None


def files_of(name: str) -> tuple[str, ...]:
    """The files of a published model that are needed."""
    return OF_PYTORCH if name.startswith("tinystories-") else FILES


def fetch(name: str) -> Path:
    """Download a published model, or what is missing of it, and show progress on a terminal.

    Raises CheckpointError if there is no such model, or it does not come.
    """
    if name not in REPOSITORIES:
        raise CheckpointError(
            f"{name!r} cannot be fetched, expected one of {', '.join(REPOSITORIES)}; download "
            "another GPT-2 yourself, and give its directory with --model"
        )
    try:
        from huggingface_hub import hf_hub_download
        from huggingface_hub.utils import (
            EntryNotFoundError,
            HfHubHTTPError,
            LocalEntryNotFoundError,
            logging,
        )
    except ImportError as error:
        raise CheckpointError(
            "fetching needs the package huggingface_hub, which is not installed; install it with "
            "pip install 'sheetgpt[hub]'"
        ) from error
    logging.set_verbosity_error()  # it tries again by itself; what it gives up is said below
    # A connection that breaks shows itself in errors of whatever library is below: for HTTP it
    # has changed twice, so it is asked for by its kin; the one in Rust raises RuntimeError.
    failures = (OSError, RuntimeError, *HfHubHTTPError.__bases__)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.filterwarnings("error", "Not enough free disk space")
        try:
            revision = "main"
            for file in files_of(name):
                where = {"revision": revision, "cache_dir": cache()}
                try:
                    path = hf_hub_download(REPOSITORIES[name], file, **where)
                except EntryNotFoundError as error:
                    if file not in INSTEAD or isinstance(error, LocalEntryNotFoundError):
                        raise
                    path = hf_hub_download(REPOSITORIES[name], INSTEAD[file], **where)
                revision = Path(path).parent.name  # all files are to be of one commit
        except (*failures, UserWarning) as error:
            raise _refusal(name, error) from error
    return Path(path).parent


def _refusal(name: str, error: Exception) -> CheckpointError:
    from huggingface_hub import constants
    from huggingface_hub.utils import (
        EntryNotFoundError,
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    hub = constants.ENDPOINT
    repository = REPOSITORIES[name]
    again = f"and run sheetgpt fetch {name} again"
    if isinstance(error, LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
        error = error.__cause__  # why it then looked for the file in the cache, and in vain
    if isinstance(error, UserWarning) or getattr(error, "errno", None) in NO_ROOM:
        return CheckpointError(
            f"{cache()} has no room for {name}; make room there, or set HF_HOME to another "
            f"directory, {again}"
        )
    if isinstance(error, OfflineModeIsEnabled):
        return CheckpointError(
            f"{name} cannot be fetched, for HF_HUB_OFFLINE is set; take it away, {again}"
        )
    if isinstance(error, GatedRepoError):
        return CheckpointError(
            f"{hub}/{repository} is only for those whom its owners let in; ask there for access, "
            f"log in with hf auth login, {again}"
        )
    if isinstance(error, RepositoryNotFoundError):
        return CheckpointError(
            f"{hub} has no {repository}, or not for you; look at HF_ENDPOINT and HF_TOKEN if they "
            f"are set, {again}"
        )
    if isinstance(error, EntryNotFoundError) and not isinstance(error, LocalEntryNotFoundError):
        return CheckpointError(
            f"{hub}/{repository} has not all of {', '.join(files_of(name))}; look there for what "
            "has become of it, and give a directory with --model"
        )
    if isinstance(error, HfHubHTTPError):
        status = error.response.status_code
        return CheckpointError(f"{hub} answers with status {status}; wait a while, {again}")
    if isinstance(error, OSError) and error.filename:
        return CheckpointError(
            f"{error.filename} cannot be written ({error.strerror}); set HF_HOME to another "
            f"directory, {again}"
        )
    return CheckpointError(
        f"{hub} cannot be reached, or broke off; look at the connection, {again}, "
        "which goes on with what is missing"
    )
