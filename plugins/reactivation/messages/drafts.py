"""From touches that are due for drafting to rows of ``drafts.parquet``: rendered, checked and digested, or refused.

One function makes the bytes for the run, the dry run and the preview. A draft that cannot be made whole is not made at
all: the touch is refused with a reason code.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import pyarrow as pa

from reactivation.contract.digests import item_digest
from reactivation.contract.links import LinkKeys
from reactivation.messages.account_fields import FACTS, account_fields
from reactivation.messages.claims import KINDS, ClaimText
from reactivation.messages.edits import Edit
from reactivation.messages.fields import (
    MessageError,
    Offer,
    offer_fields,
    product_fields,
    safe_text,
    salutation,
    tenant_fields,
)
from reactivation.messages.lint import lint
from reactivation.messages.proof import ClaimShown, OfferShown, Proof
from reactivation.messages.subjects import with_subject
from reactivation.messages.templates import MessageTemplate
from reactivation.playbooks.model import Playbook
from reactivation.playbooks.owners import Owners
from reactivation.playbooks.tenant import Tenant
from reactivation.playbooks.touches import Touch

_TIME = pa.timestamp("us", tz="UTC")

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")

#: The bytes and recipients of a run; besides ``people.parquet`` the only file with personal data. A text message has
#: neither subject nor html.
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
        pa.field("subject", pa.string()),
        pa.field("text", pa.string(), nullable=False),
        pa.field("html", pa.string()),
        pa.field("headers", pa.list_(pa.struct([("name", pa.string()), ("value", pa.string())])), nullable=False),
        pa.field(
            "claims", pa.list_(pa.struct([("claim_id", pa.string()), ("text_digest", pa.string())])), nullable=False
        ),
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
    Product and claim are those chosen for the customer's affinity, if there are any.
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
    product_name: str | None = None
    product_url: str | None = None
    affinity_source: str | None = None
    claim_id: str | None = None
    claim_kind: str | None = None
    account_name: str | None = field(default=None, repr=False)
    account_service: str | None = None
    account_bought_at: datetime | None = None
    issue_kind: str | None = None
    issue_opened_at: datetime | None = None
    renewal_at: datetime | None = None
    variant: str | None = None


@dataclass(frozen=True)
class Drafter:
    """Everything that is the same for all drafts of one run. ``claims``: the words of each claim that has any;
    ``links``: the keys of recipients' links, for a tenant whose link out leads to our own page."""

    playbook: Playbook
    playbook_digest: str
    rules_version: str
    tenant: Tenant
    owners: Owners
    templates: Mapping[str, MessageTemplate]
    offers: Mapping[str, Offer]
    product_names: frozenset[str]
    claims: Mapping[str, ClaimText]
    links: LinkKeys | None = None

    @cached_property
    def senders(self) -> Mapping[str, str]:
        """The one From of every draft, by channel."""
        return self.tenant.senders

    def draft(self, due: DueTouch, edit: Edit | None = None) -> dict[str, Any]:
        """The row of ``DRAFTS`` for one touch, in its owner's words where he changed any. Raises ``MessageError`` whose
        code is the reason it is not drafted."""
        touch = self._touch(due)
        template = self._template(touch, due.channel)
        recipient = _recipient(due)
        offer = self._offer(due.offer_id)
        deadline = offer.deadline(due.planned_send) if offer else None
        claim = self._claim(due, touch, offer)
        token = self._token(due)
        values = self._values(due, touch, offer, deadline, token)
        values |= {} if claim is None else {"claim_text": claim.text}
        values |= {} if edit is None else self._opening(template, due.channel, edit)
        words = template.render(values, due.channel)
        if edit is not None and edit.subject is not None:
            words = replace(words, subject=edit.subject)
        headers = self._headers(due, values)
        findings = lint(
            Proof(
                channel=due.channel, touch_id=due.touch_id, pattern=touch.pattern, sender=self.senders[due.channel],
                salutation=values["salutation"], owner_name=values["owner_name"],
                unsubscribe_url=values["unsubscribe_url"], subject=words.subject or "", text=words.text,
                html=words.html or "", headers=headers, tenant=self.tenant,
                offer=None if offer is None or deadline is None else self._shown(due, touch, offer, values, deadline),
                product_names=self.product_names, product=values.get("product_name"),
                claim=None if claim is None else ClaimShown(due.claim_kind or "", claim.text),
                keep_url=values.get("keep_url"), close_url=values.get("close_url"), token=token,
                account_facts=self._facts(values),
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
            "sender": self.senders[due.channel],
            "recipient": recipient,
            "subject": words.subject,
            "text": words.text,
            "html": words.html,
            "headers": [{"name": name, "value": value} for name, value in headers],
            "claims": [] if claim is None else [{"claim_id": due.claim_id, "text_digest": claim.digest}],
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

    @cached_property
    def _by_variant(self) -> Mapping[str | None, Playbook]:
        names = (None, *self.playbook.changed)
        return {name: self.playbook.of_variant(name) for name in names}

    def _touch(self, due: DueTouch) -> Touch:
        """The touch as the person gets it; his variant stays for a whole course, whatever becomes of its file."""
        if due.variant not in self._by_variant:
            raise MessageError("variant_not_declared", f"the playbook declares no variant {due.variant} any more")
        return self._by_variant[due.variant].touch(due.number)

    def _template(self, touch: Touch, channel: str) -> MessageTemplate:
        if touch.template is None or channel not in self.templates[touch.template].parts:
            raise MessageError("no_template", f"touch {touch.number} has no template for {channel}")
        if channel not in self.senders:
            raise MessageError("sender_missing", f"the tenant declares no sender for {channel}")
        if channel == "email" and touch.subject is not None:
            return self._with_subject[touch.template, touch.subject]
        return self.templates[touch.template]

    @cached_property
    def _with_subject(self) -> Mapping[tuple[str, str], MessageTemplate]:
        """Each template with each subject that takes the place of its own, compiled once."""
        touches = (touch for playbook in self._by_variant.values() for touch in playbook.touches)
        named = {(touch.template or "", touch.subject) for touch in touches}
        return {
            (name, subject): with_subject(self.templates[name], subject)
            for name, subject in named
            if name in self.templates and subject is not None and "email" in self.templates[name].parts
        }

    def _opening(self, template: MessageTemplate, channel: str, edit: Edit) -> dict[str, str]:
        if edit.subject is not None and channel != "email":
            raise MessageError("edit_out_of_place", f"a message by {channel} has no subject")
        if edit.opening is None:
            return {}
        if "opening_line" not in template.fields_of[channel]:
            raise MessageError("edit_out_of_place", f"template {template.name} has no place for an opening line")
        return {"opening_line": edit.opening}

    def _offer(self, offer_id: str | None) -> Offer | None:
        if offer_id is None:
            return None
        if offer_id not in self.offers:
            raise MessageError("offer_unknown", f"offer {offer_id} is not in the snapshot")
        return self.offers[offer_id]

    def _claim(self, due: DueTouch, touch: Touch, offer: Offer | None) -> ClaimText | None:
        """The words of the claim a pattern lives on. Exclusive access is limited by its own offer, without a claim."""
        if touch.pattern not in KINDS:
            return None
        if due.claim_id is None:
            if touch.pattern == "urgency" and offer is not None:
                return None
            raise MessageError("claim_missing", f"no reviewed claim fits touch {touch.number} for this customer")
        if due.claim_id not in self.claims:
            raise MessageError("claim_text_missing", f"claim {due.claim_id} has no words that could be said")
        return self.claims[due.claim_id]

    def _token(self, due: DueTouch) -> str | None:
        if not self.tenant.unsubscribes_with_us:
            return None
        if self.links is None:
            raise MessageError("link_key_missing", "there is no address key, so no link out could be made")
        return self.links.token_of(due.touch_id)

    def _values(
        self, due: DueTouch, touch: Touch, offer: Offer | None, deadline: datetime | None, token: str | None
    ) -> dict[str, str]:
        owner = self.owners.by_id.get(due.owner_id)
        if owner is None:
            raise MessageError("owner_unknown", f"owner {due.owner_id} is not declared")
        values = {
            **tenant_fields(self.tenant, due.touch_id, token),
            "salutation": salutation(due.first_name),
            "owner_name": owner.name,
        }
        if self.playbook.subject == "account":
            values |= account_fields(
                name=due.account_name, service=due.account_service, last_bought_at=due.account_bought_at,
                issue_kind=due.issue_kind, issue_opened_at=due.issue_opened_at, renewal_at=due.renewal_at,
                zone=due.zone,
            )  # fmt: skip
        if touch.pattern == "relevance":
            if due.product_name is None:
                raise MessageError("product_missing", "no product in stock fits what the customer likes")
            values |= product_fields(due.product_name, due.product_url, due.affinity_source)
        if offer is None or deadline is None:
            return values
        if due.zone is None:
            raise MessageError("zone_unknown", "the recipient's zone is unknown, so the deadline cannot be shown")
        return values | offer_fields(offer, deadline, due.zone, due.code, short=due.channel == "sms")

    def _facts(self, values: Mapping[str, str]) -> tuple[str, ...] | None:
        """What may be counted as a fact of the account in a message of a playbook about accounts."""
        if self.playbook.subject != "account":
            return None
        return tuple(values[name] for name in FACTS if name in values)

    def _headers(self, due: DueTouch, values: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
        """Our own headers of an e-mail (RFC 8058); a text message has none."""
        if due.channel != "email":
            return ()
        mail_out = f"mailto:{self.tenant.unsubscribe_mailto}?subject=unsubscribe%20{due.touch_id}"
        return (
            ("List-Unsubscribe", f"<{values['unsubscribe_url']}>, <{mail_out}>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        )

    def _shown(
        self, due: DueTouch, touch: Touch, offer: Offer, values: Mapping[str, str], deadline: datetime
    ) -> OfferShown:
        return OfferShown(
            offer.kind, values["offer_reward"], values["offer_terms"], values["offer_deadline"], due.code,
            better_planned=any(later.number > touch.number and later.offer for later in self.playbook.touches),
            value=offer.value, valid_for=deadline - due.planned_send.replace(second=0, microsecond=0),
        )  # fmt: skip


def _recipient(due: DueTouch) -> str:
    if due.recipient is None:
        raise MessageError("recipient_missing", "the customer has no address for this channel")
    recipient = safe_text("recipient", due.recipient)
    if due.channel == "sms" and not _E164.fullmatch(recipient):
        raise MessageError("recipient_unusable", "the number is not in international form; correct the source")
    return recipient
