"""The scripts of `weights/`, for tests of what they made."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

WEIGHTS = Path(__file__).parents[2] / "weights"


def load_script(name: str) -> ModuleType:
    """A module of `weights/`, which is a folder of scripts and no package."""
    spec = importlib.util.spec_from_file_location(name, WEIGHTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up by its name
    spec.loader.exec_module(module)
    return module
