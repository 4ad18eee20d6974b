"""Which exit it is, when several things are said."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from tests.outcomes.people import NOW, SINCE

from reactivation import paths
from reactivation.outcomes import Exit, Fact, exit_of, exit_of_all, stops
from reactivation.outcomes.exits import NOES
from reactivation.playbooks.loader import load_playbook

PLAYBOOK = load_playbook(paths.PLAYBOOKS / "customer_reactivation.yaml").playbook
SAID = ("opt_out", "objection", "complaint", "internal", "deactivated")


@given(st.sets(st.sampled_from((*SAID, "hard_bounce"))), st.sampled_from(["reactivated", "re_engaged", None]))
def test_what_a_person_said_against_it_outweighs_everything(reasons: set[str], came_back: str | None) -> None:
    """A purchase does not undo an opt-out; a dead address does not undo a purchase."""
    returned = Exit(came_back, "purchase") if came_back else None
    found = exit_of_all(reasons, returned)
    if reasons & set(SAID):
        assert found is not None
        assert found.because in reasons
        assert found.reason in ("opted_out", "complained", "suppressed")
    elif returned is not None:
        assert found == returned
    else:
        assert found == (Exit("unreachable", "hard_bounce") if reasons else None)


def test_a_cancelled_purchase_brings_nobody_back() -> None:
    """Nor does what other systems sent, or what cannot be read."""
    facts = [Fact(kind, NOW - timedelta(hours=1)) for kind in ("cancelled", "sent", "delivered", "unreadable")]
    assert exit_of(facts, PLAYBOOK, since=SINCE, contacted=True) is None


def test_what_should_have_stopped_a_send() -> None:
    """Every no, every exit of the playbook and a bounce; an open of this playbook and a delivery are none."""
    kinds = stops(PLAYBOOK)
    assert {*NOES, "bounce", "order", "booking", "subscription", "click", "reply", "visit", "browse", "login"} <= kinds
    assert not kinds & {"open", "delivered", "sent", "usage", "seen", "cancelled"}
