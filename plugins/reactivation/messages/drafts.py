"""From touches that are due for drafting to rows of ``drafts.parquet``: rendered, checked and digested, or refused.

One function makes the bytes for the run, the dry run and the preview. A draft that cannot be made whole is not made at
all: the touch is refused with a reason code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.headerregistry import Address
from functools import cached_property
from typing import Any

import pyarrow as pa

from reactivation.contract.digests import item_digest
from reactivation.messages.fields import (
    MessageError,
    Offer,
    offer_fields,
    safe_text,
    salutation,
    tenant_fields,
    unsubscribe_link,
)
from reactivation.messages.lint import lint
from reactivation.messages.proof import OfferShown, Proof
from reactivation.messages.templates import MessageTemplate
from reactivation.playbooks.model import Playbook, Touch
from reactivation.playbooks.owners import Owners
from reactivation.playbooks.tenant import Tenant

_TIME = pa.timestamp("us", tz="UTC")

#: The bytes and recipients of a run; besides ``people.parquet`` the only file with personal data.
DRAFTS = pa.schema(
    [
        pa.field("touch_id", pa.string(), nullable=False),
        pa.field("enrolment_id", pa.string(), nullable=False),
        pa.field("customer_id", pa.string(), nullable=False),
        pa.field("playbook", pa.string(), nullable=False),
        pa.field("number", pa.int64(), nullable=False),
        pa.field("channel", pa.string(), nullable=False),
        pa.field("sender", pa.string(), nullable=False),
        pa.field("recipient", pa.string(), nullable=False),
        pa.field("subject", pa.string(), nullable=False),
        pa.field("text", pa.string(), nullable=False),
        pa.field("html", pa.string(), nullable=False),
        pa.field("headers", pa.list_(pa.struct([("name", pa.string()), ("value", pa.string())])), nullable=False),
        pa.field("offer_id", pa.string()),
        pa.field("offer_terms", pa.string()),
        pa.field("deadline", _TIME),
        pa.field("code", pa.string()),
        pa.field("not_before", _TIME, nullable=False),
        pa.field("not_after", _TIME, nullable=False),
        pa.field("address_key", pa.string(), nullable=False),
        pa.field("basis_records", pa.list_(pa.string()), nullable=False),
        pa.field("rules_version", pa.string(), nullable=False),
        pa.field("playbook_digest", pa.string(), nullable=False),
        pa.field("digest", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True)
class DueTouch:
    """One touch to draft and what its message is made of. Personal: it never leaves the drafting step.

    ``planned_send`` is when it goes out at the earliest as things stand; ``zone`` is the recipient's, and the deadline
    is counted from the one and shown in the other. ``basis_records``: the consent records the permission rests on.
    """

    touch_id: str
    enrolment_id: str
    customer_id: str
    owner_id: str
    number: int
    channel: str
    address_key: str
    planned_send: datetime
    not_before: datetime
    not_after: datetime
    offer_id: str | None
    basis_records: tuple[str, ...]
    zone: str | None
    recipient: str | None = field(repr=False)
    first_name: str | None = field(repr=False)
    code: str | None = None


@dataclass(frozen=True)
class Drafter:
    """Everything that is the same for all drafts of one run."""

    playbook: Playbook
    playbook_digest: str
    rules_version: str
    tenant: Tenant
    owners: Owners
    templates: Mapping[str, MessageTemplate]
    offers: Mapping[str, Offer]
    product_names: frozenset[str]

    @cached_property
    def sender(self) -> str:
        """The one From of every draft."""
        return str(Address(self.tenant.sender.name, addr_spec=self.tenant.sender.address))

    def draft(self, due: DueTouch) -> dict[str, Any]:
        """The row of ``DRAFTS`` for one touch. Raises ``MessageError`` whose code is the reason it is not drafted."""
        touch = self.playbook.touch(due.number)
        template = self._template(touch, due.channel)
        if due.recipient is None:
            raise MessageError("recipient_missing", "the customer has no address for this channel")
        offer = self._offer(due.offer_id)
        deadline = offer.deadline(due.planned_send) if offer else None
        values = self._values(due, offer, deadline)
        words = template.render(values)
        way_out = values["unsubscribe_url"]
        mail_out = f"mailto:{self.tenant.unsubscribe_mailto}?subject=unsubscribe%20{due.touch_id}"
        headers = (
            ("List-Unsubscribe", f"<{way_out}>, <{mail_out}>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        )
        shown = None
        if offer is not None:
            shown = OfferShown(
                offer.kind, values["offer_reward"], values["offer_terms"], values["offer_deadline"], due.code,
                better_planned=any(later.number > touch.number and later.offer for later in self.playbook.touches),
            )  # fmt: skip
        findings = lint(
            Proof(
                due.touch_id, touch.pattern, self.sender, values["salutation"], values["owner_name"], way_out,
                words.subject, words.text, words.html, headers, self.tenant, shown, self.product_names,
            )
        )  # fmt: skip
        if findings:
            raise MessageError(f"lint:{findings[0].code}", "; ".join(finding.message for finding in findings))
        row: dict[str, Any] = {
            "touch_id": due.touch_id,
            "enrolment_id": due.enrolment_id,
            "customer_id": due.customer_id,
            "playbook": self.playbook.playbook,
            "number": due.number,
            "channel": due.channel,
            "sender": self.sender,
            "recipient": safe_text("recipient", due.recipient),
            "subject": words.subject,
            "text": words.text,
            "html": words.html,
            "headers": [{"name": name, "value": value} for name, value in headers],
            "offer_id": due.offer_id,
            "offer_terms": values.get("offer_terms"),
            "deadline": deadline,
            "code": due.code,
            "not_before": due.not_before,
            "not_after": due.not_after,
            "address_key": due.address_key,
            "basis_records": list(due.basis_records),
            "rules_version": self.rules_version,
            "playbook_digest": self.playbook_digest,
        }
        return {**row, "digest": item_digest(row)}

    def _template(self, touch: Touch, channel: str) -> MessageTemplate:
        if touch.template is None or channel != "email":
            raise MessageError("no_template", f"touch {touch.number} has no template for {channel}")
        return self.templates[touch.template]

    def _offer(self, offer_id: str | None) -> Offer | None:
        if offer_id is None:
            return None
        if offer_id not in self.offers:
            raise MessageError("offer_unknown", f"offer {offer_id} is not in the snapshot")
        return self.offers[offer_id]

    def _values(self, due: DueTouch, offer: Offer | None, deadline: datetime | None) -> dict[str, str]:
        owner = self.owners.by_id.get(due.owner_id)
        if owner is None:
            raise MessageError("owner_unknown", f"owner {due.owner_id} is not declared")
        values = {
            **tenant_fields(self.tenant),
            "salutation": salutation(due.first_name),
            "owner_name": owner.name,
            "unsubscribe_url": unsubscribe_link(self.tenant, due.touch_id),
        }
        if offer is None or deadline is None:
            return values
        if due.zone is None:
            raise MessageError("zone_unknown", "the recipient's zone is unknown, so the deadline cannot be shown")
        return {**values, **offer_fields(offer, deadline, due.zone, due.code)}
