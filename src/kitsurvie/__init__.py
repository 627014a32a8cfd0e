"""kitsurvie: a standard minimum toolset for the communes a syndicat mixte looks after."""

__version__ = "0.1.0"
