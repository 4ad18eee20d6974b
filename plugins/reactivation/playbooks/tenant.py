"""The company whose customers these are: what must stand in every message, and where its links may lead."""

from __future__ import annotations

from collections.abc import Mapping
from email.headerregistry import Address as Mailbox
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import Field, StringConstraints, field_validator, model_validator

from reactivation.playbooks.declared import DeclarationError, parse_declared, read_bytes
from reactivation.playbooks.words import Declared, Line

Address = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}$", max_length=254)]
Domain = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+$")]
Https = Annotated[str, StringConstraints(pattern=r"^https://[^\s<>\"']+$", max_length=500)]


#: Shorteners anybody can use: they hide where a link leads, and carriers filter them.
SHORTENERS = frozenset({
    "bit.ly", "bl.ink", "buff.ly", "cutt.ly", "goo.gl", "is.gd", "lnkd.in", "ow.ly", "rb.gy", "rebrand.ly", "s.id",
    "shorturl.at", "t.co", "t.ly", "tiny.cc", "tinyurl.com", "v.gd",
})  # fmt: skip


#: Where the token of a recipient's own link stands in ``unsubscribe_url``, and the path our own page has it at.
LINK_MARK = "{token}"
LINK_PATH = f"/u/{LINK_MARK}"


#: A bare flag of the CRM as consent to e-mail; e-mail to whoever did not opt out, where the law allows it.
Acceptance = Literal["flag_only_email", "opt_out_email"]


class TenantError(DeclarationError):
    """The file of the tenant is refused; every problem with its line."""

    kind = "tenant file"


class Sender(Declared):
    """The one From of every e-mail. ``daily_floor``: how many its domain may send on a day without a history."""

    name: Line
    address: Address
    daily_floor: int = Field(default=200, ge=1, le=1_000_000)


class SmsSender(Declared):
    """The one sender of every text message: a number, since people answer it with STOP. ``category``: the trade, as
    carriers ask for it."""

    sender: str = Field(pattern=r"^(\+[1-9][0-9]{6,14}|[1-9][0-9]{3,7})$")
    category: Line


class Accept(Declared):
    """What the tenant asks to accept as permission beyond evidenced consent, and who asks. Each is in force only once
    compliance signed it, and as long as it stands here. Source: RULES.md, Permission."""

    authored_by: str = Field(min_length=1, max_length=80)
    settings: tuple[Acceptance, ...] = Field(min_length=1)


class Tenant(Declared):
    """The tenant as declared; a run without it does not draft.

    ``unsubscribe_url`` is a page of the tenant's own, which is told the touch (``?t=…``), or one that ``reactivation
    public`` serves: then it ends in ``/u/{token}``.
    """

    brand: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    display_name: Line
    legal_name: Line
    postal_address: Line
    timezone: str
    sender: Sender
    link_domains: tuple[Domain, ...] = Field(min_length=1)
    unsubscribe_url: Https
    unsubscribe_mailto: Address
    account_url: Https
    keep_url: Https | None = None
    close_url: Https | None = None
    sms: SmsSender | None = None
    accept: Accept | None = None

    @field_validator("timezone")
    @classmethod
    def _is_a_zone(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError(f"found {zone!r}, expected the name of a time zone such as Europe/London")
        return zone

    @model_validator(mode="after")
    def _links_stay_home(self) -> Self:
        public = sorted(SHORTENERS & set(self.link_domains))
        if public:
            raise ValueError(f"link_domains has {', '.join(public)}, a public shortener; name domains of the company")
        for field in ("unsubscribe_url", "account_url", "keep_url", "close_url"):
            url: str | None = getattr(self, field)
            if url is not None and not self.owns_link(url):
                raise ValueError(f"{field} leads to {urlsplit(url).hostname}, which is not among link_domains")
        return self

    @model_validator(mode="after")
    def _token_has_its_place(self) -> Self:
        """A brace anywhere else would go out to customers as it stands."""
        for field in ("unsubscribe_url", "account_url", "keep_url", "close_url"):
            url = str(getattr(self, field) or "")
            rest = url.removesuffix(LINK_PATH) if field == "unsubscribe_url" else url
            if "{" in rest or "}" in rest:
                raise ValueError(
                    f"{field} has braces; only unsubscribe_url may have them, and ends in {LINK_PATH} where "
                    "reactivation public serves it"
                )
        return self

    @property
    def unsubscribes_with_us(self) -> bool:
        """Whether the link out leads to the page that ``reactivation public`` serves."""
        return self.unsubscribe_url.endswith(LINK_PATH)

    @property
    def senders(self) -> Mapping[str, str]:
        """By channel, who a message is from, as it stands in the message."""
        mailbox = {"email": str(Mailbox(self.sender.name, addr_spec=self.sender.address))}
        return mailbox if self.sms is None else mailbox | {"sms": self.sms.sender}

    def owns_link(self, url: str) -> bool:
        """True for an https link to a domain of the tenant or below one, on the usual port, without credentials."""
        try:
            parts = urlsplit(url)
            plain = parts.scheme == "https" and parts.port in (None, 443) and parts.username is None
        except ValueError:
            return False
        host = (parts.hostname or "").lower()
        return plain and any(host == domain or host.endswith(f".{domain}") for domain in self.link_domains)


class DeclaredTenant(Declared):
    """The file ``tenant.yaml``."""

    tenant: Tenant


def parse_tenant(text: str, name: str) -> Tenant:
    """The tenant a YAML text declares. Raises ``TenantError``."""
    return parse_declared(text, name, DeclaredTenant, TenantError).tenant


def load_tenant(path: Path) -> Tenant:
    """The tenant of one file. Raises ``TenantError``."""
    return parse_tenant(read_bytes(path, TenantError)[0], str(path))
