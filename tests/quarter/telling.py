"""What happened in the quarter, in one short table."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table
from tests.quarter.books import Books
from tests.quarter.playing import PLAYBOOKS

from reactivation.measures.proofs import Proof

_COLUMNS = ("playbook", "candidates", "enrolled", "e-mails", "texts", "opted out", "reactivated", "re-engaged",
            "no answer", "tagged", "held", "suppressed", "pilot")  # fmt: skip


def told(books: Books, pilots: Mapping[str, Proof]) -> str:
    """A row for each playbook: people, however often they were decided about; messages; exits; tags that stand."""
    days = len(books.quarter.runs)
    table = Table(*_COLUMNS, title=f"{days} days, {books.quarter.world.size} customers, "
                                   f"{len(books.quarter.world.firms)} accounts")  # fmt: skip
    tags = books.table("tags")
    for name in PLAYBOOKS:
        decided = books.decisions[books.decisions["playbook"] == name]
        enrolled = books.enrolments[books.enrolments["playbook"] == name]
        sent = books.sends[books.sends["playbook"] == name]["channel"].value_counts()
        exits = enrolled["exit_reason"].value_counts()
        people = decided.groupby("decision")["customer_id"].nunique()
        mine = (tags["tag"] == books.declared[name]["no_response_tag"]) & tags["removed_at"].isna()
        proof = pilots.get(name)
        cells = (
            decided["customer_id"].nunique(), len(enrolled), sent.get("email", 0), sent.get("sms", 0),
            exits.get("opted_out", 0), exits.get("reactivated", 0), exits.get("re_engaged", 0),
            exits.get("no_response", 0), int(mine.sum()), people.get("hold", 0), people.get("suppress", 0),
            "–" if proof is None else f"{proof.verdict}, {proof.passed} of {proof.of}",
        )  # fmt: skip
        table.add_row(name, *(str(cell) for cell in cells))
    console = Console(width=190, color_system=None)
    with console.capture() as shown:
        console.print(table)
        console.print(f"answers: {_counted(books.quarter.people.done)}")
        console.print(f"heard: {_counted(books.quarter.heard)}")
    return shown.get()


def _counted(counts: Mapping[str, int]) -> str:
    return " · ".join(f"{what} {count}" for what, count in sorted(counts.items()) if count)
