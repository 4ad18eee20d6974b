"""The customers who are written by hand: the stories a reader should find, and the names that break programs.

A cast member overrides traits of one of the first customers, so the same tables tell the story.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from reactivation.sample.countries import COUNTRY
from reactivation.sample.dice import Whole
from reactivation.sample.traits import (
    CASES,
    FITS,
    LAST_SIGNALS,
    MAILBOXES,
    NOTES,
    PERMISSIONS,
    REASONS,
    RELATIONSHIPS,
    STOPS,
    TIERS,
    Traits,
    code,
)
from reactivation.sample.world import BUSINESS, SEGMENTS

_VOCABULARIES = {
    "permission": PERMISSIONS, "fit": FITS, "relationship": RELATIONSHIPS, "cases": CASES, "stop": STOPS,
    "mailbox": MAILBOXES, "last_signal": LAST_SIGNALS, "reason": REASONS, "tier": TIERS,
}  # fmt: skip
_PLAIN = {
    "permission": "valid", "fit": "good", "relationship": "normal", "cases": "none", "stop": "none",
    "mailbox": "good", "last_signal": "purchase", "reason": "", "tier": "",
}  # fmt: skip
_PLAIN_FLAGS = ("subscriber_only", "discount_buyer", "cancelled_plan", "price_objection", "prefetched_opens",
                "written_to_lately")  # fmt: skip


@dataclass(frozen=True)
class Member:
    """One hand-written customer: the story in a sentence, the name, and what differs from a plain customer."""

    story: str
    first: str | None
    last: str | None
    segment: str = "household"
    country: str = "GB"
    quiet: int = 275
    traits: dict[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    purchases: int | None = None
    notes: str | None = None
    email: str | None = None
    owner: str | None = None
    account: str | None = None
    account_notes: str | None = None


MEMBERS = (
    Member("a regular of nine months ago who may be written to: the plain case", "Rosalind", "Thorne", purchases=9),
    Member("former client: paused nine months ago after an invoice was charged twice and never put right; the billing "
           "case is still open, so an owner calls before anything promotional goes out",
           "Imogen", "Adeyemi", "business", traits={"cases": "open_billing", "reason": "billing_issue"}, purchases=14,
           account="Quayside Veterinary Clinic",
           account_notes="Paused the contract over a double charge in the spring. Wants it put right before any talk."),
    Member("an apostrophe", "Niamh", "O'Brien", quiet=140),
    Member("Vietnamese letters with stacked marks", "Thị Ánh", "Nguyễn", quiet=200),
    Member("a quotation mark, a bracket and SQL", "Robert'); DROP TABLE contacts;--", "\"Bobby\" Tables", quiet=120),
    Member("a template expression as a name", "{{ 6*7 }}", "{% raw %}", quiet=150),
    Member("markup as a name", "<script>alert(1)</script>", "<b>Bold</b>", quiet=160),
    Member("a name written from right to left, with an embedding mark", "\u202bليلى\u202c", "حداد", quiet=190),
    Member("a very long name", "Wolfeschlegelsteinhausenbergerdorff" * 4, "Featherstonehaugh-Cholmondeley" * 4,
           quiet=210),
    Member("a single letter", "X", "A", quiet=130),
    Member("an emoji, joined from several", "👩‍🔧 Ruth", "Ivory", quiet=170),
    Member("no name at all", None, None, quiet=180),
    Member("a formula as a name", "=HYPERLINK(\"x\")", "+1", quiet=155),
    Member("a line break and a comma in the name", "Ann,\nMarie", "St. John", quiet=145),
    Member("exactly on the window: 90 days is dormant", "Edie", "Brink", quiet=90),
    Member("a day short of the window: 89 days is not", "Ned", "Brink", quiet=89),
    Member("bought once with 30 % off and never again", "Percy", "Dealer", quiet=240, flags=("discount_buyer",),
           purchases=1),
    Member("withdrew consent, yet the CRM flag of the import still looks fine", "Wilma", "Stop", quiet=300,
           traits={"permission": "withdrawn"}),
    Member("a bare flag: consent is TRUE and nothing stands behind it", "Flora", "Bare", quiet=260,
           traits={"permission": "flag_only"}),
    Member("soft opt-in with one of its five conditions missing", "Colin", "Halfway", quiet=220,
           traits={"permission": "condition_missing"}),
    Member("German double opt-in, confirmed, and an address with an umlaut in its domain", "Jürgen", "Großmann",
           country="DE", quiet=230, email="juergen.grossmann@grüße.example"),
    Member("implied consent in Canada, more than two years old", "Maple", "Tremblay", country="CA", quiet=400,
           traits={"permission": "expired"}),
    Member("a valued regular: her owner looks at her alone", "Vivienne", "Hartwell", quiet=250, traits={"tier": "high"},
           purchases=20),
    Member("bereaved last spring; sensitive, the owner decides", "Arthur", "Lowe", quiet=280,
           traits={"relationship": "sensitive"}, notes="Wife died in the spring. No cheerful mail, please."),
    Member("threatened with a solicitor: never", "Lex", "Writ", quiet=320, traits={"relationship": "legal"}),
    Member("asked not to be contacted by telephone or e-mail", "Sol", "Quiet", quiet=310,
           traits={"relationship": "no_contact"}),
    Member("a bad fit: far outside the area we serve", "Farah", "Away", quiet=350, traits={"fit": "bad"}),
    Member("an open complaint", "Greta", "Grumble", quiet=190, traits={"cases": "open_complaint"}),
    Member("opted out by address, in capitals, in another system", "Otto", "Out", quiet=205,
           traits={"stop": "opt_out_by_address"}),
    Member("marked a message as spam elsewhere", "Spencer", "Spam", quiet=215, traits={"stop": "complaint"}),
    Member("cancelled the care plan over the price", "Carey", "Planner", "care_plan", quiet=110,
           traits={"reason": "price"}, flags=("cancelled_plan", "price_objection"), purchases=14),
    Member("only on the newsletter, never bought: in no playbook", "Suki", "Reader", quiet=290, purchases=0,
           traits={"last_signal": "click"}, flags=("subscriber_only",)),
    Member("a mailbox that several people read", "Roland", "Desk", quiet=225, traits={"mailbox": "role"}),
    Member("opens that are a mail client's, six days ago: in Britain they are no sign of life", "Mona", "Pixel",
           quiet=265, flags=("prefetched_opens",)),
    Member("written to yesterday by another system", "Ivor", "Echo", quiet=245, flags=("written_to_lately",)),
    Member("an accent as a mark of its own, not one letter", "Zoe\u0308", "Abbott", quiet=135),
    Member("shares one address with the next customer", "Joan", "Pair", quiet=255, email="the.pairs@quaymail.example"),
    Member("the same household, the same address: one person to us", "Jim", "Pair", quiet=235,
           traits={"mailbox": "shared"}),
    Member("a surname that spreadsheets take for nothing", "NA", "Null", quiet=165),
    Member("unsubscribed in the newsletter tool; our list of opt-outs never heard of it", "Una", "Gone", quiet=195,
           traits={"stop": "unsubscribed_elsewhere"}),
    Member("a business contact that the CRM gives to Ada and the account to Ben: the sources disagree", "Claire",
           "Between", "business", quiet=260, purchases=11, owner="own-ada", account="Temple Quay Lettings"),
)  # fmt: skip


class Cast:
    """The members that take part: as many as there are customers."""

    def __init__(self, members: tuple[Member, ...] = MEMBERS) -> None:
        self._members = members

    def play(self, traits: Traits) -> None:
        """Override the traits of the first customers; a chunk without them is left alone."""
        for number, member in enumerate(self._here(traits.number)):
            traits.country[number] = COUNTRY[member.country]
            traits.place[number] = 0
            traits.quiet[number] = member.quiet
            traits.created[number] = 1000 if member.traits.get("permission") == "expired" else member.quiet + 400
            traits.notes[number] = code(NOTES, "")
            traits.purchases[number] = member.purchases if member.purchases is not None else 4
            for trait, word in {**_PLAIN, **member.traits}.items():
                getattr(traits, trait)[number] = code(_VOCABULARIES[trait], word)
            for flag in _PLAIN_FLAGS:
                getattr(traits, flag)[number] = flag in member.flags

    def segments(self, segment: Whole, numbers: Whole) -> None:
        """Override the segments of the first customers, before accounts are formed."""
        for position, member in enumerate(self._here(numbers)):
            segment[position] = SEGMENTS.index(member.segment)

    def override(self, what: str, column: pa.Array, traits: Traits) -> pa.Array:
        """The column with the members' own ``first`` and ``last`` names, and other words of theirs where given."""
        here = self._here(traits.number)
        if not here:
            return column
        own = pa.array([getattr(member, what) for member in here], pa.string())
        plain = column[: len(here)]
        return pa.concat_arrays([own if what in ("first", "last") else pc.coalesce(own, plain), column[len(here) :]])

    def override_account(self, what: str, column: pa.Array, account: Whole) -> pa.Array:
        """The column with the ``account`` name or ``account_notes`` of the members' accounts, which are the first."""
        own = [getattr(member, what) for member in self._members if member.segment == SEGMENTS[BUSINESS]]
        if not len(account) or account[0] != 1:
            return column
        here = own[: len(column)]
        return pa.concat_arrays([pc.coalesce(pa.array(here, pa.string()), column[: len(here)]), column[len(here) :]])

    def customer_ids(self) -> list[str]:
        """The members' customer ids, in order."""
        return [f"cus-{number + 1:07d}" for number in range(len(self._members))]

    def lines(self, customers: int) -> list[str]:
        """The stories of the members that take part, each with its customer id."""
        told = zip(self.customer_ids(), self._members, strict=True)
        return [f"{customer_id}  {member.story}" for customer_id, member in told][:customers]

    def _here(self, numbers: Whole) -> tuple[Member, ...]:
        return self._members[: len(numbers)] if numbers[0] == 0 else ()
