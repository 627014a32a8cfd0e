"""Entry point: `main()` turns errors into exit codes, the commands do the work."""

from __future__ import annotations

import sys

import typer

from kitsurvie import __version__
from kitsurvie.cli import output
from kitsurvie.cli.commands import Kitsurvie
from kitsurvie.errors import ExitCode, KitsurvieError

# what a shell reports for a program that SIGPIPE ended
BROKEN_PIPE = 141

app = typer.Typer(
    name="kitsurvie",
    cls=Kitsurvie,
    help="A standard minimum toolset for the communes you look after: deploy it, prove it.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        output.say(f"kitsurvie {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and stop."
    ),
) -> None:
    """A standard minimum toolset for the communes you look after."""


def _reader_left(error: BaseException) -> bool:
    """Whether it is a broken pipe; click turns one into an exit of its own."""
    return isinstance(error, BrokenPipeError) or isinstance(error.__context__, BrokenPipeError)


def main() -> None:
    """Run the command line; never lets a traceback reach the user for a known error."""
    try:
        code = app(standalone_mode=False) or 0
    except KitsurvieError as error:
        output.error(error)
        code = error.exit_code
    except typer.Abort:
        output.complain("Stopped: nothing was confirmed.")
        code = ExitCode.INTERRUPTED
    except KeyboardInterrupt:
        output.complain("Interrupted.")
        code = ExitCode.INTERRUPTED
    except (Exception, SystemExit) as error:
        if _reader_left(error):
            # nobody must take that for "all compliant", and there is nobody to tell
            sys.exit(BROKEN_PIPE)
        # click's usage errors know how to show themselves; anything else is a fault of ours
        if hasattr(error, "format_message"):
            # a group typed alone has shown its help, and has nothing to add
            if error.format_message():
                output.complain(f"Error: {error.format_message()}")
                output.complain("Try --help for the words this command takes.")
        else:
            output.fault(error)
        code = ExitCode.CONFIGURATION
    sys.exit(int(code))


if __name__ == "__main__":
    main()
