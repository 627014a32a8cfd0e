"""A run on a terminal: a table by member, then every drift with what proves it, then what to do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kitsurvie.cli import absent, acknowledged, exceptions, output, rejudged, told, waived
from kitsurvie.cli.standing import Score, Standing, percent
from kitsurvie.cli.view import HostView, RunView, attested, member_name, score_of, stand
from kitsurvie.converge import State
from kitsurvie.inventory import attestations
from kitsurvie.ledger import Outcome
from kitsurvie.model import Action, Mode, Status, Verdict
from kitsurvie.plan import Restart

STYLES = {
    Standing.COMPLIANT: "green",
    Standing.WAIVED: "cyan",
    Standing.DRIFT: "yellow",
    Standing.FAILED: "red",
    Standing.ERROR: "red",
    Standing.UNKNOWN: "red",
    Standing.UNREACHABLE: "magenta",
    Standing.ABSENT: "dim",
    Standing.UNSEEN: "magenta",
    Standing.HELD: "cyan",
    Standing.PENDING: "dim",
    Standing.NOT_APPLICABLE: "dim",
}
WORDS = {
    **{standing: standing.value for standing in STYLES},
    Standing.PENDING: "not begun",
    Standing.NOT_APPLICABLE: "not applicable",
}
LONGEST = 300
_HEADS = {Action.APPLY: "Applied", Action.UNDO: "Undone", Action.LEAVE: "Left in place"}


def show(console: Console, run: RunView) -> None:
    """Print the whole run."""
    _members(console, run)
    _mended(console, run)
    if run.rejudged:
        rejudged.show(console, run.rejudged)
    exceptions.show(console, run)
    waived.show(console, run)
    absent.show(console, run)
    for view in run.hosts:
        _troubles(console, view, run)
    _restarts(console, run)
    for note in run.notes:
        console.print(Text(note))


def _members(console: Console, run: RunView) -> None:
    groups: dict[tuple[str, str], list[HostView]] = {}
    for view in run.hosts:
        epci = run.inventory.epcis.get(view.host.epci or "", view.host.epci or "")
        groups.setdefault((epci, member_name(view, run.inventory)), []).append(view)
    stands = {view.host.name: stand(view, run) for view in run.hosts}
    states = [s for s in STYLES if s in stands.values()]
    accepted = Standing.WAIVED in states or bool(score_of(run.hosts).counts[Status.WAIVED])
    stated = any(attested(run, view.host.member) for view in run.hosts)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("EPCI", "Member"):
        table.add_column(heading, no_wrap=True)
    scores = ("score", "without waivers") if accepted else ("score",)
    rules = ("attested",) if stated else ()
    for heading in ("Hosts", *(WORDS[s] for s in states), *scores, *rules):
        table.add_column(heading, justify="right")
    for (epci, member), views in sorted(groups.items()):
        counts = Counter(stands[view.host.name] for view in views)
        cells = [
            Text(str(counts[s] or "-"), style=STYLES[s] if counts[s] else "dim") for s in states
        ]
        of = score_of(views)
        cells += [Text(percent(of.with_waivers))]
        cells += [Text(percent(of.without_waivers))] if accepted else []
        cells += [Text(_attested(run, views[0].host.member))] if stated else []
        table.add_row(Text(epci), Text(member), str(len(views)), *cells)
    console.print(table)


def _attested(run: RunView, siren: str) -> str:
    rules = attested(run, siren)
    held = rules[attestations.Standing.ATTESTED] + rules[attestations.Standing.ENDING]
    return f"{held} of {rules.total()}"


def score_words(of: Score) -> str:
    """The score of a run in a sentence, with what it does not speak of."""
    if not of.asked:
        return "Score: none, since no check was judged."
    met = of.counts[Status.COMPLIANT]
    text = f"Score: {percent(of.without_waivers)} ({met} of {of.asked} checks compliant"
    if of.counts[Status.WAIVED]:
        text = (
            f"Score: {percent(of.with_waivers)} with waivers, {percent(of.without_waivers)} "
            f"without ({met} of {of.asked} checks compliant, {of.counts[Status.WAIVED]} waived"
        )
    silent = of.hosts - of.judged
    return (
        f"{text}); {told.count(silent, 'host')} without a verdict in it." if silent else f"{text})."
    )


def _mended(console: Console, run: RunView) -> None:
    """What was changed and where: one line a measure, with names while they are few."""
    done: dict[str, dict[str, list[str]]] = {head: {} for head in (*_HEADS.values(), "Restarted")}
    for view in run.hosts:
        actions = {due.measure: due.action for due in view.due}
        for measure, play in view.plays.items():
            action = actions.get(measure, Action.APPLY)
            # what is left in place is changed in nothing, and said all the same
            over = play.state is State.UNCHANGED and action is not Action.APPLY
            if play.state is State.CHANGED or over:
                done[_HEADS[action]].setdefault(measure, []).append(view.host.name)
        if view.restarted and view.state is not Outcome.FAILED:
            done["Restarted"].setdefault("", []).append(view.host.name)
    done = {head: those for head, those in done.items() if those}
    width = max(map(len, done), default=0)
    if done:
        console.print()
    for head, those in done.items():
        for number, (measure, names) in enumerate(those.items()):
            start = f"{head:{width}}" if number == 0 else " " * width
            what = f"{measure}: " if measure else ""
            console.print(Text(f"{start}  {what}{told.names(names)}"))


def _restarts(console: Console, run: RunView) -> None:
    """The machines that ask for a restart and were not given one, and why."""
    for view in run.hosts:
        if view.restart is not None:
            console.print(
                Text(f"{view.host.name}: {output.printable(restart_words(view.restart))}")
            )


def restart_words(asked: Restart) -> str:
    """A restart that is asked for, in words."""
    left = f" ({asked.left})" if asked.left else ""
    return f"a restart is wanted by {', '.join(asked.by)} since {told.day(asked.since)}{left}"


def _troubles(console: Console, view: HostView, run: RunView) -> None:
    standing = stand(view, run)
    away = standing in {Standing.ABSENT, Standing.UNSEEN} and not view.expected_up
    if view.state is Outcome.DONE or (away and run.kind == "compliance"):
        return
    head = Text("\n")
    head.append(view.host.name, style="bold")
    head.append(f"  {member_name(view, run.inventory)}  ")
    head.append(WORDS[standing], style=STYLES[standing])
    if view.detail:
        head.append(f": {output.printable(view.detail)}")
    console.print(head)
    if view.state is Outcome.UNREACHABLE or view.last is not None:
        console.print(Text(f"  {absent.words(view, run)}", style="dim"))
    for measure, play in view.plays.items():
        if play.state in {State.FAILED, State.UNREACHABLE}:
            said = f"at “{play.task}”" + (f": {play.message}" if play.message else "")
            console.print(Text(f"  {measure}: Ansible failed {output.printable(said)}"))
        elif play.state is State.NOT_REACHED:
            console.print(Text(f"  {measure}: not reached, since Ansible went no further here"))
    not_reached = {m for m, play in view.plays.items() if play.state is State.NOT_REACHED}
    modes = {item.measure: item.mode for item in view.items}
    for verdict in view.verdicts:
        # of a measure that was not even tried, the reason above says all there is to know; what a
        # past night did not ask is told by check
        past_over = verdict.measure in not_reached or verdict.message == rejudged.NOT_ASKED
        if verdict.status in _WORTH_READING and not past_over:
            later = "left for later" if verdict.measure in view.held else ""
            observed = modes.get(verdict.measure) is Mode.OBSERVE
            untouched = "only observed: nothing is changed here" if observed else later
            waiver = view.waiver(verdict)
            over = "" if waiver is None else waived.words(waiver, view.day)
            console.print(_verdict(verdict, untouched, over))
            for one in acknowledged.of(view.acknowledged, verdict):
                console.print(Text(f"    {acknowledged.words(one)}", style="cyan"))


_WORTH_READING = frozenset({Status.DRIFT, Status.ERROR, Status.UNKNOWN})


def _verdict(verdict: Verdict, untouched: str, over: str) -> Text:
    text = Text(f"  {verdict.measure} / {verdict.check}  ")
    text.append(verdict.status.value, style="yellow" if verdict.status is Status.DRIFT else "red")
    if untouched and verdict.status is Status.DRIFT:
        text.append(f"  ({untouched})", style="dim")
    if over:
        text.append(f"\n    {over}")
    if verdict.message:
        text.append(f"\n    {output.printable(verdict.message)}")
    if verdict.status is Status.DRIFT:
        text.append(f"\n    expected  {told.cut(verdict.expected, LONGEST)}")
        text.append(f"\n    found     {told.cut(verdict.found, LONGEST)}")
    for command in _last(verdict.commands):
        text.append(f"\n    command   {told.cut(command, LONGEST)}", style="dim")
    return text


def _last(commands: tuple[str, ...]) -> Iterable[str]:
    """The command that was read last is the one whose answer was judged."""
    return commands[-1:]
