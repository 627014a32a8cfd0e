"""Entry point of a reading: `python -m kitsurvie.cli.exporter`."""

from kitsurvie.cli.exporter.reading import main

main()
