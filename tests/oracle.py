"""Libraries that tests compare with where they are installed: `pip install '.[oracle]'`.

Where SHEETGPT_REQUIRE_TRANSFORMERS is 1, as in CI, they must be.
"""

import os
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

import pytest


def oracle(name: str) -> ModuleType:
    """The library; without it the tests of the module that asks are left out."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    if find_spec(name) is None:
        if os.environ.get("SHEETGPT_REQUIRE_TRANSFORMERS") == "1":
            raise ImportError(f"SHEETGPT_REQUIRE_TRANSFORMERS=1, but {name} is not installed")
        pytest.skip(
            f"{name} is not installed, so what is compared with it is left out; "
            "pip install '.[oracle]'",
            allow_module_level=True,
        )
    return import_module(name)
