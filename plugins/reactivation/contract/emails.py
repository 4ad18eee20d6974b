"""Many e-mail addresses at once: canonical form, and what keeps us from writing to them.

The plain form (ASCII, nothing to fold but case) is read by one regular expression, and so is a plain domain; any other
domain is judged by email-validator once, however many addresses it has, and the rest go through the library one by one.
No DNS is asked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
from email_validator import SPECIAL_USE_DOMAIN_NAMES, EmailNotValidError, validate_email

from reactivation.contract.addresses import canonical_email

EMAIL_FACTS = pa.schema([("text", pa.string()), ("canonical", pa.string()), ("problem", pa.string())])

_LOCAL = r"[a-z0-9_-]+(?:[.+][a-z0-9_-]+)*"
_DOMAIN = r"[a-z0-9-]+(?:\.[a-z0-9-]+)+"
_PLAIN = rf"^(?P<local>{_LOCAL})@(?P<domain>{_DOMAIN})$"
_LONGEST_LOCAL = 64
_LONGEST = 254
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
#: A domain that email-validator lets pass without a look at its letters: two hyphens may be Punycode.
_HOST = rf"^(?:{_LABEL}\.)+{_LABEL}$"
_NOT_HOST = rf"--|[^a-z]$|(?:^|\.)(?:{'|'.join(map(re.escape, SPECIAL_USE_DOMAIN_NAMES))})$"
_LONGEST_HOST = _LONGEST - len("a@")


@dataclass(frozen=True)
class AddressRules:
    """Which mailboxes belong to a role instead of a person, and which domains are thrown away after use."""

    version: str
    role_accounts: frozenset[str]
    disposable_domains: frozenset[str]

    def problem_of(self, local: str, domain: str) -> str | None:
        """``role``, ``disposable`` or ``None`` for a valid address in canonical form."""
        if local.partition("+")[0] in self.role_accounts:
            return "role"
        return "disposable" if self.is_disposable(domain) else None

    def is_disposable(self, domain: str) -> bool:
        """Whether the domain, or one above it, is listed."""
        labels = domain.split(".")
        return any(".".join(labels[start:]) in self.disposable_domains for start in range(len(labels) - 1))


def email_facts(texts: pa.Array, rules: AddressRules) -> pa.Table:
    """``EMAIL_FACTS`` of distinct, non-null texts, in their order.

    ``problem`` is null, ``invalid``, ``role`` or ``disposable``. An invalid address may still have a canonical form:
    who opted out with it must be found.
    """
    lowered = pc.utf8_lower(pc.utf8_trim_whitespace(texts))
    parts = pc.extract_regex(lowered, _PLAIN)
    local, domain = pc.struct_field(parts, "local"), pc.struct_field(parts, "domain")
    short = pc.and_(
        pc.less_equal(pc.utf8_length(local), _LONGEST_LOCAL), pc.less_equal(pc.utf8_length(lowered), _LONGEST)
    )
    domains = pc.unique(domain).drop_null()
    named = zip(domains.to_pylist(), _is_host(domains).to_pylist(), strict=True)
    verdicts = pa.array([_domain_problem(name, rules, is_host=is_host) for name, is_host in named], pa.string())
    verdict = pc.take(verdicts, pc.index_in(domain, value_set=domains))
    role = pc.is_in(pc.replace_substring_regex(local, r"\+.*", ""), value_set=pa.array(sorted(rules.role_accounts)))
    problem = pc.if_else(
        pc.and_(role, pc.not_equal(pc.fill_null(verdict, ""), "invalid")), pa.scalar("role", pa.string()), verdict
    )
    plain = pc.fill_null(short, False)
    rest = [_by_library(text, rules) for text in pc.filter(texts, pc.invert(plain)).to_pylist()]
    return pa.table(
        {
            "text": texts,
            "canonical": _merged(plain, lowered, [canonical for canonical, _ in rest]),
            "problem": _merged(plain, problem, [found for _, found in rest]),
        },
        schema=EMAIL_FACTS,
    )


def _is_host(domains: pa.Array) -> pa.Array:
    """Whether a domain is plainly valid; one that is not may still be."""
    short = pc.less_equal(pc.utf8_length(domains), _LONGEST_HOST)
    named = pc.and_(short, pc.match_substring_regex(domains, _HOST))
    return pc.and_not(named, pc.match_substring_regex(domains, _NOT_HOST))


def _domain_problem(domain: str, rules: AddressRules, *, is_host: bool) -> str | None:
    if not is_host and not _is_valid(f"a@{domain}"):
        return "invalid"
    return "disposable" if rules.is_disposable(domain) else None


def _by_library(text: str, rules: AddressRules) -> tuple[str | None, str | None]:
    canonical = canonical_email(text)
    if canonical is None or not _is_valid(canonical):
        return canonical, "invalid"
    local, _, domain = canonical.rpartition("@")
    return canonical, rules.problem_of(local, domain)


def _is_valid(address: str) -> bool:
    # A local part outside ASCII needs SMTPUTF8, which not every hop on the way speaks: not reachable for us.
    try:
        validate_email(address, check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError:
        return False
    return True


def _merged(plain: pa.Array, fast: pa.Array, slow: list[str | None]) -> pa.Array:
    return pc.replace_with_mask(fast, pc.invert(plain), pa.array(slow, pa.string()))
