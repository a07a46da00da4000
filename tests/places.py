"""Where tests find models: small recorded checkpoints, and the plainest of them."""

from pathlib import Path

CHECKPOINTS = Path(__file__).parent / "checkpoints"
PLAIN = CHECKPOINTS / "plain"
