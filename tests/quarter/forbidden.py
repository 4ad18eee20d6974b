"""Who must not be written to, and from when: by what people said and by what the company's own records say of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from tests.quarter.people import People
from tests.quarter.world import No, World, spelled

from reactivation.sample.world import BRAND

_FLAGS = ("poor", "dispute", "legal", "no_contact")
_ALL = "*"
#: What is true of a person and of nobody who shares an address with him.
_OWN = ("case", "relationship", "fit")


class Forbidden:
    """What the world knows, by customer."""

    def __init__(self, world: World, people: People) -> None:
        self.world = world
        self.by_customer: dict[int, list[No]] = defaultdict(list)
        for one in (*self._before(), *world.noes):
            if one.how == "words":
                self.by_customer[one.customer].append(
                    _until_labelled(one, people.labelled.get(world.ids[one.customer]))
                )
            else:
                self.by_customer[one.customer].append(one)
        consents = world.tables["consents"].to_pandas()
        self.granted = {
            (world.number[row["customer_id"]], row["channel"])
            for row in consents[consents["state"] == "granted"].to_dict("records")
        }

    def why_not(self, customer: int, channel: str, at: datetime, *, about_issue: bool) -> set[str]:
        """Every reason why nothing may reach this customer on this channel at this instant."""
        world = self.world
        sharers = {customer, *world.by_email[world.email[customer]]} if channel == "email" else {customer}
        found = {
            one.how
            for who in sharers
            for one in self.by_customer.get(who, ())
            if one.channel in (_ALL, channel) and one.at <= at and (one.until is None or one.until > at)
            and not (one.how in _OWN and who != customer) and not (one.how == "case" and about_issue)
        }  # fmt: skip
        return found | (set() if (customer, channel) in self.granted else {"no_consent"})

    def _before(self) -> Iterator[No]:
        """What stood in the records of the first morning."""
        world, began = self.world, self.world.began
        contacts = world.tables["contacts"]
        for number, (relationship, fit) in enumerate(
            zip(contacts["relationship"].to_pylist(), contacts["fit"].to_pylist(), strict=True)
        ):
            if relationship in _FLAGS:
                yield No(number, _ALL, began, "relationship")
            if fit == "bad":
                yield No(number, _ALL, began, "fit")
        for row in self._rows("suppressions"):
            if row["brand"] in (None, BRAND):
                address = spelled(row["address"] or "")
                by_id = [world.number[row["customer_id"]]] if row["customer_id"] in world.number else []
                for who in by_id or world.by_email.get(address, []):
                    channel = row["channel"] or ("email" if not by_id else _ALL)
                    yield No(who, channel, row["occurred_at"], f"suppressed:{row['reason']}")
        for row in self._rows("consents"):
            if row["state"] == "objected" and row["brand"] == BRAND:
                yield No(world.number[row["customer_id"]], _ALL, row["occurred_at"], "objected")
        events = world.before["engagements"]
        for row in events.filter(pc.is_in(events["kind"], pa.array(["complaint", "unsubscribe"]))).to_pylist():
            yield No(world.number[row["customer_id"]], _ALL, row["occurred_at"], row["kind"])
        yield from self._withdrawn()
        yield from self._open_cases()

    def _withdrawn(self) -> Iterator[No]:
        """A channel whose last word was a withdrawal, until a later grant."""
        rows = pd.DataFrame(self._rows("consents"))
        rows = rows[(rows["brand"] == BRAND) & rows["state"].isin(["granted", "withdrawn"])]
        last = rows.sort_values(["occurred_at", "state"]).groupby(["customer_id", "channel"]).tail(1)
        for row in last[last["state"] == "withdrawn"].to_dict("records"):
            yield No(self.world.number[row["customer_id"]], row["channel"], row["occurred_at"], "withdrawn")

    def _open_cases(self) -> Iterator[No]:
        for row in self._rows("cases"):
            if row["closed_at"] is None:
                mine = [self.world.number[row["customer_id"]]] if row["customer_id"] in self.world.number else []
                for who in mine or self.world.contacts_of.get(row["account_id"] or "", []):
                    yield No(who, _ALL, row["opened_at"], "case")

    def _rows(self, table: str) -> list[dict[str, Any]]:
        """A table as it was in the beginning."""
        return self.world.before[table].to_pylist()


def _until_labelled(no: No, labels: list[datetime] | None) -> No:
    """A reply holds until somebody says that it forbids nothing."""
    after = [at for at in labels or () if at > no.at]
    return No(no.customer, no.channel, no.at, no.how, min(after) if after else None)
