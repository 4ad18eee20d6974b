"""What may be typed: every command with its arguments."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

from reactivation.cli import (
    commands,
    editing,
    monitoring,
    optimizing,
    piloting,
    privacy,
    scores,
    serving,
    stopping,
)

Subcommands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

#: What metrics can be divided by (``measures.SPLITS``, which takes long to import).
_SPLITS = (
    "segment", "dormancy", "margin", "contract", "repeat", "order_value", "engagement", "affinity", "acquisition",
    "value", "variant", "channel", "touch", "offer",
)  # fmt: skip
_CSV = "comma-separated values on standard output"


def parser(description: str) -> argparse.ArgumentParser:
    """Every command with its arguments."""
    root = argparse.ArgumentParser(prog="reactivation", description=description)
    listed = root.add_subparsers(required=True, metavar="COMMAND")
    _to_prepare(listed)
    _to_decide(listed)
    _to_pilot(listed)
    _to_look(listed)
    _about_accounts(listed)
    _to_measure(listed)
    _to_send(listed)
    _to_keep(listed)
    _to_forget(listed)
    return root


def _to_prepare(listed: Subcommands) -> None:
    _add(listed, "check", commands.check, "check every playbook with its templates, offers, owners, tenant and rules")

    sub = _add(
        listed, "sample", commands.sample, "write a believable sample CRM, made up or around a real purchase history"
    )
    whose = sub.add_mutually_exclusive_group()
    whose.add_argument("--customers", type=_positive, default=400)
    whose.add_argument(
        "--purchases", type=Path, metavar="FILE",
        help="dress the purchases in FILE: the contract's purchases, CDNOW's or Online Retail's own file",
    )  # fmt: skip
    sub.add_argument("--seed", type=int, default=7)
    sub.add_argument(
        "--as-of", type=_instant, help="the instant the CRM speaks of (default: this hour, or after the history's end)"
    )
    sub.add_argument("--out", type=Path, required=True)
    sub.add_argument("--format", choices=("csv", "parquet"), default="csv")


def _to_decide(listed: Subcommands) -> None:
    sub = _add(listed, "run", commands.run, "snapshot, decide, judge readiness, plan, draft and open lists")
    _playbook(sub)
    _source(sub)
    sub.add_argument("--dry-run", action="store_true", help="evidence only: nobody is enrolled, nothing is asked")
    sub.add_argument("--segment", help="only this business segment")
    sub.add_argument("--sample-size", type=_positive, help="at most this many enrolments")
    sub.add_argument("--user", default="operator", help="who runs it; he may not sign what comes of it")

    sub = _add(listed, "readiness", commands.readiness, "only the verdict: may a run proceed?")
    _playbook(sub)
    _source(sub)
    sub.add_argument("--csv", action="store_true", help="the rows concerned, ids only, as comma-separated values")


def _to_pilot(listed: Subcommands) -> None:
    pilot = listed.add_parser("pilot", help="try a playbook on one sample first").add_subparsers(
        required=True, metavar="COMMAND"
    )
    sub = _add(pilot, "begin", piloting.begin, "begin the pilot a playbook declares; before its first enrolment")
    _playbook(sub)
    of = sub.add_mutually_exclusive_group(required=True)
    of.add_argument("--segment", help="of this business segment")
    of.add_argument("--top", type=_positive, metavar="N", help="of the N best by priority, in the last run")
    sub.add_argument("--user", required=True, metavar="NAME", help="who begins it")

    sub = _add(pilot, "report", piloting.report, "what it showed: the threshold with its rows, before and after")
    _playbook(sub)

    sub = _add(pilot, "end", piloting.end, "end it: from then on everybody may be enrolled")
    _playbook(sub)
    sub.add_argument("--user", required=True, metavar="NAME", help="who ends it")


def _to_look(listed: Subcommands) -> None:
    sub = _add(listed, "candidates", commands.candidates, "who is quiet, and what was decided about each")
    _playbook(sub, default="customer_reactivation")
    _of_run(sub)
    sub.add_argument("--csv", action="store_true", help=_CSV)

    sub = _add(listed, "plan", commands.plan, "who hears from us when, by which touch, and how far each has come")
    _playbook(sub)
    _of_run(sub, "every active enrolment")
    sub.add_argument("--csv", action="store_true", help=_CSV)
    sub.add_argument("--calendar", action="store_true", help="how many of each touch on each day")

    sub = _add(
        listed,
        "explain",
        commands.explain,
        "one customer's story: every gate with its records, and what happened since",
    )
    sub.add_argument("customer", metavar="CUSTOMER")
    sub.add_argument("--playbook", default="customer_reactivation")
    _of_run(sub)

    sub = _add(
        listed, "exception", commands.exception, "ask to write to one customer all the same: refused, and recorded"
    )
    sub.add_argument("customer", metavar="CUSTOMER")
    sub.add_argument("--playbook", default="customer_reactivation")
    sub.add_argument("--user", default="operator", help="who asks")

    sub = _add(listed, "preview", commands.preview, "what one customer would read; without permission, the reason")
    _playbook(sub)
    sub.add_argument("touch", type=_positive, metavar="TOUCH")
    sub.add_argument("--customer", required=True)

    sub = _add(
        listed, "tags", commands.tags, "who did not respond and has not come back since: the customers who bear the tag"
    )
    _playbook(sub)
    sub.add_argument("--csv", action="store_true", help=_CSV)

    sub = _add(listed, "segment", commands.segment, "who is in a segment of a playbook, such as customers_not_active")
    _playbook(sub)
    sub.add_argument("name", metavar="NAME")
    _of_run(sub)
    sub.add_argument("--csv", action="store_true", help=_CSV)


def _about_accounts(listed: Subcommands) -> None:
    sub = _add(listed, "brief", commands.brief, "the review brief of a dormant account, as Markdown; ids only")
    sub.add_argument("account", metavar="ACCOUNT")
    sub.add_argument("--html", type=Path, metavar="FILE", help="as one HTML file to print or send instead")
    sub.add_argument("--playbook", default="dormant_account_outreach")
    _of_run(sub)

    sub = _add_plain(listed, "reopen", commands.reopen, "ask the owner of an account anew, whatever was decided before")
    sub.add_argument("account", metavar="ACCOUNT")
    sub.add_argument("--playbook", default="dormant_account_outreach")

    sub = _add(
        listed, "edit", editing.edit, "draft the message to an account in its owner's words, for two people to approve"
    )
    sub.add_argument("account", metavar="ACCOUNT")
    sub.add_argument("--playbook", default="dormant_account_outreach")
    sub.add_argument("--subject", type=Path, metavar="FILE", help="the subject instead; - is standard input")
    sub.add_argument("--opening", type=Path, metavar="FILE", help="a line before the first; - is standard input")
    sub.add_argument("--user", required=True, metavar="NAME", help="the owner whose words they are")


def _to_measure(listed: Subcommands) -> None:
    sub = _add(listed, "scores", scores.scores, "how customers were scored, and how good that was in the days held out")
    _playbook(sub, default="customer_reactivation")
    _of_run(sub)

    sub = _add(
        listed, "incentives", optimizing.incentives, "how each segment responds to the steps of the incentive ladder"
    )
    _playbook(sub)

    sub = _add(listed, "metrics", commands.metrics, "what came of it: every measure, with what it is a share of")
    _playbook(sub)
    sub.add_argument("--by", choices=_SPLITS, help="with parts besides, where a measure has them")
    sub.add_argument("--as-of", type=_instant, help="as it was known at this instant (default: now)")
    sub.add_argument("--csv", action="store_true", help=_CSV)


def _to_send(listed: Subcommands) -> None:
    sub = _add(listed, "dispatch", commands.dispatch, "send what is due, signed and still allowed")
    sub.add_argument("--now", type=_instant, help="a given clock; refused unless every provider is the outbox")

    sub = _add(listed, "stop", stopping.stop, "keep messages back at once, until a marketing owner lets them go on")
    sub.add_argument(
        "scope", nargs="?", metavar="SCOPE",
        help="everything, channel:NAME, playbook:NAME or variant:PLAYBOOK/VARIANT (/SEGMENT behind it for one alone); "
        "without it, the stops that stand are listed",
    )  # fmt: skip
    sub.add_argument("--user", metavar="NAME", help="who stops it; he does not end it alone")
    sub.add_argument("--reason", default="precaution", metavar="CODE", help="why (default: precaution)")

    sub = _add(listed, "monitor", monitoring.monitor, "pause what is worse or does harm; how each variant stands")
    _playbook(sub)
    sub.add_argument("--dry-run", action="store_true", help="only look: nothing is paused, nothing is recorded")

    _add(listed, "outcomes", commands.outcomes, "ask providers and sources what came back: opt-outs first, then exits")

    sub = _add_plain(
        listed, "public", serving.public, "serve recipients' unsubscribe links and providers' webhooks, until SIGTERM"
    )
    sub.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: this machine only)")
    sub.add_argument("--port", type=_port, default=8090, help="0 is any free one (default: 8090)")
    sub.add_argument(
        "--behind", metavar="ADDRESSES",
        help="the proxies before it, commas between: theirs alone is believed who asks (X-Forwarded-For)",
    )  # fmt: skip


def _to_keep(listed: Subcommands) -> None:
    audit = listed.add_parser("audit", help="the audit trail").add_subparsers(required=True, metavar="COMMAND")
    _add(audit, "verify", commands.audit_verify, "check every row of the audit trail against its seals")
    ledger = listed.add_parser("ledger", help="the ledger").add_subparsers(required=True, metavar="COMMAND")
    _add_plain(ledger, "upgrade", commands.ledger_upgrade, "bring the ledger's tables up to date")
    _add_plain(listed, "clean", commands.clean, "remove all local state; refused if the ledger ever really sent")


def _to_forget(listed: Subcommands) -> None:
    sub = _add(listed, "purge", privacy.purge, "take out of the evidence what is past its time, on record")
    sub.add_argument("--dry-run", action="store_true", help="count only: nothing is taken out, nothing is recorded")

    sub = _add(listed, "erase", privacy.erase, "erase a person everywhere; that nobody may write to them stays")
    whom = sub.add_mutually_exclusive_group(required=True)
    whom.add_argument("--customer", metavar="ID", help="everybody behind this customer's addresses")
    whom.add_argument(
        "--address-stdin", action="store_true",
        help="everybody behind the address in the first line of standard input; on the command line it would be seen",
    )  # fmt: skip
    sub.add_argument("--user", required=True, metavar="NAME", help="who erases")
    sub.add_argument(
        "--dry-run", action="store_true", help="count what would go and what would stay; nothing is changed"
    )
    sub.add_argument("--reason", default="person_asked", metavar="CODE", help="why (default: the person asked)")

    sub = _add(listed, "hold", privacy.hold, "a legal hold: nothing that concerns it is purged or erased")
    what = sub.add_mutually_exclusive_group()
    what.add_argument("--customer", metavar="ID", help="what concerns this customer")
    what.add_argument("--everything", action="store_true", help="everything there is")
    sub.add_argument("--lift", action="store_true", help="end it")
    sub.add_argument(
        "--user", metavar="NAME", help="who begins or ends it; without a scope, those that stand are listed"
    )


def _add(
    listed: Subcommands, name: str, command: Callable[[argparse.Namespace], int], help_: str
) -> argparse.ArgumentParser:
    """A command that answers something, for programs too."""
    sub = _add_plain(listed, name, command, help_)
    sub.add_argument("--json", action="store_true", help="one JSON document on standard output")
    return sub


def _add_plain(
    listed: Subcommands, name: str, command: Callable[[argparse.Namespace], int], help_: str
) -> argparse.ArgumentParser:
    """A command with nothing to say but that it is done."""
    sub = listed.add_parser(name, help=help_, description=help_)
    sub.set_defaults(command=command)
    return sub


def _playbook(sub: argparse.ArgumentParser, default: str | None = None) -> None:
    sub.add_argument("playbook", metavar="PLAYBOOK", nargs="?" if default else None, default=default)


def _source(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--source", help="a folder or object-store URL with the contract's tables")
    sub.add_argument("--as-of", type=_instant, help="decide as of this instant; older than 24 h is a dry run only")


def _of_run(sub: argparse.ArgumentParser, default: str = "the last") -> None:
    sub.add_argument("--run", help=f"a run's id (default: {default})")


def _instant(text: str) -> datetime:
    """An ISO 8601 instant; one without a zone stays without: it is on the tenant's clock, a bare date its midnight."""
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no date or time; write 2026-11-24 or 2026-11-24T11:00+00:00"
        ) from None
    return parsed if parsed.tzinfo is None else parsed.astimezone(UTC)


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; write a number from 0 to 65535")
    return int(text)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above 0")
    return int(text)
