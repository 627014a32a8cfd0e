"""Entry point of the worker process: `python -m kitsurvie.fleet`."""

from gevent import monkey

monkey.patch_all()

from kitsurvie.fleet.worker import main  # noqa: E402 (the patch must come before any import)

main()
