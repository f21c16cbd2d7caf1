"""Lets the tests import what lies in deploy/, and says why what Helm renders is left out where it is."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "deploy"))
