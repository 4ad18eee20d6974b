"""Which withdrawn consents of a source are a permanent no, and what undoes one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.builders import Row, consent, contact, days_ago
from tests.sources.reads import read

from reactivation.outcomes import noes
from reactivation.sources import EVENTS

BRAND = "harbour_finch"
WITHDREW = days_ago(100)


def _withdrawn(**changes: Any) -> Row:
    return consent("r-no", "c-ada", state="withdrawn", occurred_at=WITHDREW, **changes)


def _granted(**changes: Any) -> Row:
    return consent("r-yes", "c-ada", **{"occurred_at": days_ago(50), **changes})


def _permanent(folder: Path, *consents: Row, flagged_at: Any = None) -> set[str]:
    """The records that are a no to the brand on e-mail and SMS; with ``flagged_at`` there is a bare flag of then."""
    ada = contact("c-ada", consent_email=flagged_at is not None, created_at=flagged_at or days_ago(900))
    snapshot = read(folder, contacts=[ada], consents=list(consents), suppressions=[], engagements=[])
    found = noes(
        snapshot, EVENTS.empty_table(), occupied=[], written=[], brand=BRAND, channels=["email", "sms"],
        purposes=["marketing"],
    )  # fmt: skip
    return {no.event_id for no in found}


@pytest.mark.parametrize("brand", [BRAND, "*"])
def test_a_later_grant_of_the_brand_and_the_channel_undoes_a_withdrawal(tmp_path: Path, brand: str) -> None:
    """Theirs or every brand's; one that came before undoes nothing."""
    assert _permanent(tmp_path / "later", _withdrawn(), _granted(brand=brand)) == set()
    before = _granted(brand=brand, occurred_at=days_ago(101))
    assert _permanent(tmp_path / "before", _withdrawn(), before) == {"consents:r-no"}


@pytest.mark.parametrize(
    "changes",
    [{"brand": "other"}, {"purpose": "service"}, {"basis": "flag_only"}, {"state": "unknown"}],
    ids=["brand", "purpose", "basis", "state"],
)
@pytest.mark.parametrize("channel", ["email", "sms"])
def test_what_is_no_grant_to_the_brand_undoes_no_withdrawal(
    tmp_path: Path, channel: str, changes: dict[str, str]
) -> None:
    """Neither on the channel that was withdrawn nor on the other one."""
    assert _permanent(tmp_path, _withdrawn(), _granted(channel=channel, **changes)) == {"consents:r-no"}


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_a_bare_flag_undoes_no_withdrawal(tmp_path: Path, channel: str) -> None:
    """Neither one of a newer contact row, nor an e-mail flag beside a withdrawal of text messages."""
    assert _permanent(tmp_path, _withdrawn(channel=channel), flagged_at=days_ago(10)) == {"consents:r-no"}


def test_who_left_one_channel_and_stays_on_another_is_not_gone_for_ever(tmp_path: Path) -> None:
    """As long as he stays there: another brand's withdrawal there is not this brand's."""
    left = _withdrawn(channel="sms")
    assert _permanent(tmp_path / "stays", left, _granted()) == set()
    elsewhere = consent("r-also", "c-ada", state="withdrawn", occurred_at=days_ago(20), brand="other")
    assert _permanent(tmp_path / "other", left, _granted(), elsewhere) == set()
    gone = _permanent(tmp_path / "gone", left, _granted(), elsewhere | {"brand": BRAND})
    assert gone == {"consents:r-no", "consents:r-also"}
