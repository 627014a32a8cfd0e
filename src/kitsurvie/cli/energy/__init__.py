"""`kitsurvie energy`: what the fleet spends, and how that is known."""
