"""The tenant: what every message shows, and which links are its own."""

from __future__ import annotations

import pytest

from reactivation import paths
from reactivation.playbooks.tenant import Tenant, TenantError, load_tenant, parse_tenant

TEXT = paths.TENANT.read_text(encoding="utf-8")


@pytest.fixture
def tenant() -> Tenant:
    return load_tenant(paths.TENANT)


@pytest.mark.parametrize(("url", "own"), [
    ("https://harbour-finch.example/account", True),
    ("https://www.harbour-finch.example/account?x=1#y", True),
    ("https://HARBOUR-FINCH.example/", True),
    ("https://harbour-finch.example:443/", True),
    ("http://harbour-finch.example/account", False),
    ("https://harbour-finch.example.evil.test/", False),
    ("https://evil.test/harbour-finch.example", False),
    ("https://notharbour-finch.example/", False),
    ("https://harbour-finch.example@evil.test/", False),
    ("https://user:secret@harbour-finch.example/", False),
    ("https://harbour-finch.example:8443/", False),
    ("https://harbour-finch.example:port/", False),
    ("https://[broken/", False),
    ("//harbour-finch.example/", False),
    ("javascript:alert(1)", False),
    ("", False),
])  # fmt: skip
def test_only_own_https_links_are_own(tenant: Tenant, url: str, own: bool) -> None:
    """Look-alike hosts, credentials, ports and other schemes are not the tenant's."""
    assert tenant.owns_link(url) is own


@pytest.mark.parametrize(("before", "after", "message"), [
    ("Europe/London", "Europe/Londn", "tenant.timezone: found 'Europe/Londn'"),
    ("account_url: https://harbour-finch.example", "account_url: https://elsewhere.test", "not among link_domains"),
    ("unsubscribe_url: https:", "unsubscribe_url: http:", "tenant.unsubscribe_url: found"),
    ("address: hello@harbour-finch.example", "address: hello", "tenant.sender.address"),
    ("legal_name: Harbour & Finch Home Services Ltd", "legal_name: ''", "tenant.legal_name"),
    ("name: Harbour & Finch,", r'name: "Harbour\r\nBcc: all@evil.test",', "tenant.sender.name"),
    ("daily_floor: 200", "daily_floor: 0", "tenant.sender.daily_floor"),
    ("daily_floor: 200", "daily_floor: 1000001", "tenant.sender.daily_floor"),
    ("example/unsubscribe", "example/unsubscribe?t={token}", "unsubscribe_url has braces"),
    ("example/unsubscribe", "example/{brand}/u/{token}", "unsubscribe_url has braces"),
    ("example/account/keep", "example/account/u/{token}", "keep_url has braces"),
    ("postal_address", "postal_adress", "did you mean postal_address?"),
])  # fmt: skip
def test_a_wrong_tenant_is_refused(before: str, after: str, message: str) -> None:
    """Nothing is drafted in the name of a company that is not wholly declared."""
    assert before in TEXT
    with pytest.raises(TenantError) as refused:
        parse_tenant(TEXT.replace(before, after, 1), "tenant.yaml")
    assert message in str(refused.value)


@pytest.mark.parametrize(("path", "ours"), [("/u/{token}", True), ("/wb/u/{token}", True), ("/unsubscribe", False)])
def test_the_link_out_leads_to_our_page_or_to_the_tenants(path: str, ours: bool) -> None:
    """What it ends in says whose it is; a proxy may put something before it."""
    assert "harbour-finch.example/unsubscribe" in TEXT
    declared = TEXT.replace("harbour-finch.example/unsubscribe", f"harbour-finch.example{path}", 1)
    assert parse_tenant(declared, "tenant.yaml").unsubscribes_with_us is ours
