"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# a busy machine is no reason for a test to fail: no example is timed
settings.register_profile("kitsurvie", deadline=None)
settings.load_profile("kitsurvie")
