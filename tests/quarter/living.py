"""What happens to the customers between two instants of the quarter: seeded, and drawn for all of them at once.

Some of it happens by itself, and some of it follows a message that was really sent. Systems tell of it in their own
ways: the shop's and the desk's records at the next export, the mail provider and the links at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zlib import crc32

import numpy as np
from tests.quarter.world import No, World, instant

from reactivation.delivery.provider_events import ProviderEvent
from reactivation.sample.world import BRAND

_DAY = 86_400
#: Shares a day, of customers who bought within the last 90 days and of all others.
_BY_ITSELF = {"purchase": (0.012, 0.0010), "visit": (0.015, 0.0015), "login": (0.008, 0.0008), "open": (0.02, 0.004),
              "click": (0.004, 0.0006), "usage": (0.01, 0.0004), "reply": (0.0006, 0.0002)}  # fmt: skip
_OPTS_OUT, _WITHDRAWS, _OPENS_CASE = 0.0004, 0.0003, 0.0007
#: A case is closed after so many days at most.
_CASE_DAYS = 21
#: Of those whom a message reached, how many answer it in which way. One answer each; the first that fits.
_ANSWERS = {
    "email": {"link_unsubscribe": 0.02, "mail_unsubscribe": 0.008, "complaint": 0.001, "bounce": 0.008,
              "suppression": 0.012, "withdrawal": 0.008, "purchase": 0.035, "click": 0.05, "visit": 0.03,
              "reply": 0.008, "open": 0.28},
    "sms": {"stop": 0.06, "words": 0.03, "purchase": 0.04, "visit": 0.04},
}  # fmt: skip
_MEAN_WAIT, _LONGEST_WAIT = 1.6 * _DAY, 12 * _DAY
#: Who buys after a message with a code uses it as often as this.
_USES_CODE = 0.6
_ENGAGED = ("open", "click", "visit", "reply")


@dataclass(frozen=True)
class Message:
    """What reached somebody: known by its send, its touch, and the code in it, if there is one."""

    send_id: str
    touch_id: str
    customer: int
    number: int
    channel: str
    at: datetime
    reference: str
    code: str | None


@dataclass
class Told:
    """What comes in at once: from providers, and by links."""

    events: list[ProviderEvent] = field(default_factory=list)
    links: list[tuple[str, datetime]] = field(default_factory=list)


@dataclass
class Life:
    """The world's own dice."""

    world: World
    seed: int
    until: datetime
    coming: list[tuple[datetime, str, Message]] = field(default_factory=list)

    def reached(self, messages: Sequence[Message]) -> None:
        """Decide what each of these messages comes to, and when."""
        for one in messages:
            dice = np.random.default_rng([self.seed, crc32(self.world.ids[one.customer].encode()), one.number])
            ways = _ANSWERS[one.channel]
            place = int(np.searchsorted(np.cumsum(list(ways.values())), dice.random(), side="right"))
            wait = min(600 + dice.exponential(_MEAN_WAIT), _LONGEST_WAIT)
            if place < len(ways):
                self.coming.append((one.at + timedelta(seconds=int(wait)), list(ways)[place], one))

    def live(self, until: datetime) -> Told:
        """Everything that happens after the last instant, up to this one."""
        since, self.until = self.until, until
        told = Told()
        self._by_itself(since, until)
        self._said_by_itself(since, until)
        self._cases(since, until)
        due = sorted((one for one in self.coming if one[0] <= until), key=lambda one: (one[0], one[2].send_id))
        self.coming = [one for one in self.coming if one[0] > until]
        for at, what, message in due:
            self._answer(told, at, what, message)
        return told

    # --- by itself ---------------------------------------------------------------------------------------------------
    def _drawn(self, share: Any, since: datetime, until: datetime, what: str) -> list[tuple[int, datetime]]:
        """Who does it between the two, and when; ``share`` a day, of each."""
        dice = np.random.default_rng([self.seed, crc32(what.encode()), int(until.timestamp())])
        span = (until - since).total_seconds()
        who = np.flatnonzero(dice.random(self.world.size) < share * span / _DAY)
        when = since.timestamp() + 1 + dice.random(len(who)) * (span - 1)
        return [(int(one), instant(at)) for one, at in zip(who, when, strict=True)]

    def _by_itself(self, since: datetime, until: datetime) -> None:
        recent = self.world.bought_last > since.timestamp() - 90 * _DAY
        for kind, (lively, quiet) in _BY_ITSELF.items():
            some = self._drawn(np.where(recent, lively, quiet), since, until, kind)
            if kind == "purchase":
                for who, at in some:
                    self._buy(who, at)
            else:
                self._engage([(who, kind, at, None) for who, at in some])

    def _said_by_itself(self, since: datetime, until: datetime) -> None:
        for who, at in self._drawn(_OPTS_OUT, since, until, "opts out"):
            self._suppress(who, at)
        for who, at in self._drawn(_WITHDRAWS, since, until, "withdraws"):
            self._withdraw(who, at)

    def _cases(self, since: datetime, until: datetime) -> None:
        world = self.world
        for case in world.cases.values():
            closes = case.get("closes")
            if closes is not None and case["closed_at"] is None and closes <= until:
                case |= {"closed_at": closes, "status": "closed"}
                world.changed.add("cases")
        for who, at in self._drawn(_OPENS_CASE, since, until, "opens a case"):
            closes = at + timedelta(days=1 + (who * 7 + at.day) % _CASE_DAYS)
            case_id = world.name("cas")
            world.cases[case_id] = {
                "case_id": case_id, "customer_id": world.ids[who], "account_id": None, "opened_at": at,
                "closed_at": None, "kind": ("question", "billing", "complaint")[who % 3], "severity": "low",
                "objection": None, "status": "open", "closes": closes,
            }  # fmt: skip
            world.changed.add("cases")
            world.noes.append(No(who, "*", at, "case", closes))

    # --- after a message ---------------------------------------------------------------------------------------------
    def _answer(self, told: Told, at: datetime, what: str, message: Message) -> None:
        who = message.customer
        if what == "purchase":
            uses = message.code is not None and (crc32(message.send_id.encode()) % 100) < 100 * _USES_CODE
            self._buy(who, at, code=message.code if uses else None)
        elif what == "suppression":
            self._suppress(who, at)
        elif what == "withdrawal":
            self._withdraw(who, at)
        elif what in _ENGAGED:
            self._engage([(who, what, at, message.touch_id)])
        elif what == "link_unsubscribe":
            told.links.append((message.touch_id, at))
            self.world.noes.append(No(who, "*", at, what))
        else:
            self._tell(told, at, what, message)

    def _tell(self, told: Told, at: datetime, what: str, message: Message) -> None:
        """Of what the provider hears first."""
        kind: Any = {"mail_unsubscribe": "unsubscribe", "stop": "inbound", "words": "inbound"}.get(what, what)
        words = {"stop": "Stop", "words": "who is this please, wrong number?"}.get(what)
        inbound = kind == "inbound"
        told.events.append(ProviderEvent(
            event_id=self.world.name("pev"), provider="outbox", channel="sms" if inbound else "email", kind=kind, at=at,
            send_id=None if inbound else message.send_id, reference=None if inbound else message.reference,
            address=self.world.phone[message.customer] if inbound else None, text=words,
        ))  # fmt: skip
        self.world.noes.append(No(message.customer, "email" if what == "bounce" else "*", at, what))

    # --- what systems say of it --------------------------------------------------------------------------------------
    def _engage(self, some: Sequence[tuple[int, str, datetime, str | None]]) -> None:
        world = self.world
        rows = []
        for who, kind, at, touch_id in some:
            channel = "email" if kind in ("open", "click", "reply") else "web"
            rows.append({"event_id": world.name("evt"), "customer_id": world.ids[who], "occurred_at": at, "kind": kind,
                         "channel": channel, "touch_id": touch_id})  # fmt: skip
            world.did(who, kind, at, touch_id)
            self._wakes(who, at)
        world.rows("engagements", rows)

    def _buy(self, who: int, at: datetime, *, code: str | None = None) -> None:
        world = self.world
        usual = world.pattern.get(who, {"kind": "order", "amount": Decimal(90), "currency": "GBP", "category": None,
                                        "product": None})  # fmt: skip
        amount = Decimal(usual["amount"])
        off = Decimal(15) if code is not None else None
        world.rows("purchases", [{
            **usual, "purchase_id": world.name("pur"), "customer_id": world.ids[who], "occurred_at": at,
            "amount": amount, "margin": (amount * Decimal("0.4")).quantize(Decimal("0.01")), "quantity": 1,
            "discount": off, "offer_code": code,
            "period_end": at + timedelta(days=30) if usual["kind"] == "subscription" else None,
        }])  # fmt: skip
        world.bought_last[who] = max(world.bought_last[who], int(at.timestamp()))
        world.did(who, "purchase", at)
        self._wakes(who, at)

    def _wakes(self, who: int, at: datetime) -> None:
        """The desk notices of a firm that it is back, more often than not."""
        account = self.world.account[who]
        if account is None or (crc32(account.encode()) + at.day) % 10 < 3:
            return
        number = self.world.firms[account]
        if self.world.status[number] == "dormant":
            self.world.status[number] = "active"
            self.world.changed.add("accounts")

    def _suppress(self, who: int, at: datetime) -> None:
        """Three systems keep such lists: by customer, or by address alone, for everything or for e-mail alone."""
        world, way = self.world, (who + at.day) % 3
        address = world.email[who]
        by_address = way == 0 and "@" in address
        channel = "email" if way == 1 else None
        world.rows("suppressions", [{
            "suppression_id": world.name("sup"), "customer_id": None if by_address else world.ids[who],
            "address": address.upper() if by_address else None, "brand": BRAND if way else None, "channel": channel,
            "reason": "opt_out", "occurred_at": at, "source": "support_desk",
        }])  # fmt: skip
        world.noes.append(No(who, "email" if by_address or channel else "*", at, "suppression"))

    def _withdraw(self, who: int, at: datetime) -> None:
        world = self.world
        row = world.granted.get(who)
        if row is None:
            return
        world.rows("consents", [row | {"record_id": world.name("rec"), "state": "withdrawn", "occurred_at": at,
                                       "event_date": None, "confirmed_at": None}])  # fmt: skip
        world.consent_flag[who] = False if world.consent_flag[who] is not None else None
        world.changed.add("contacts")
        world.noes.append(No(who, "email", at, "withdrawal"))
