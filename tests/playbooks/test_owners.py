"""Owners: who may sign what, and that nobody becomes two signers."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from reactivation import paths
from reactivation.playbooks.absences import gaps
from reactivation.playbooks.owners import Owners, OwnersError, load_owners, parse_owners

TEXT = paths.OWNERS.read_text(encoding="utf-8")


@pytest.fixture
def owners() -> Owners:
    return load_owners(paths.OWNERS)


class TestSigners:
    def test_owner_and_delegate_sign(self, owners: Owners) -> None:
        """Ada's lists may be signed by Ada, and by Ben to whom she delegates."""
        signers = owners.signers_for("own-ada", "marketing_owner")
        assert [(signer.user_id, signer.owner_id) for signer in signers] == [("ada", "own-ada"), ("ben", "own-ben")]

    def test_a_delegate_without_the_role_does_not_sign(self) -> None:
        """Delegation passes work on, not rights."""
        changed = TEXT.replace("delegate: own-ben", "delegate: own-cleo")
        owners = Owners(parse_owners(changed, "owners.yaml"), "0" * 64)
        assert [signer.user_id for signer in owners.signers_for("own-ada", "marketing_owner")] == ["ada"]

    def test_an_unknown_owner_has_no_signers(self, owners: Owners) -> None:
        """Nobody stands in for an owner who is not declared."""
        assert not owners.knows("own-zed")
        assert owners.signers_for("own-zed", "marketing_owner") == ()

    def test_roles_are_found_by_owner_id(self, owners: Owners) -> None:
        """Offers are asked of everybody with the role, in a stable order."""
        assert [signer.name for signer in owners.by_role("offer_approver")] == ["Olu Price"]
        assert [signer.user_id for signer in owners.by_role("marketing_owner")] == ["ada", "ben"]

    def test_users_lead_back_to_owners(self, owners: Owners) -> None:
        """A responder is recognised by the Airflow user id, and strangers are not."""
        assert (owners.owner_of_user("olu"), owners.owner_of_user("mallory")) == ("own-olu", None)


CHRISTMAS, NEW_YEAR = date(2026, 12, 25), date(2027, 1, 1)
AWAY = "away: [{since: 2026-12-21, until: 2026-12-31}]"


def standing_in(tmp_path: Path, *changes: tuple[str, str]) -> Owners:
    """The owners of the project with these changes."""
    text = TEXT
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    file = tmp_path / "owners.yaml"
    file.write_text(text, encoding="utf-8")
    return load_owners(file)


def asked(owners: Owners, owner_id: str, role: str, day: date, *, escalated: bool = False) -> list[str]:
    return [signer.user_id for signer in owners.asked_for(owner_id, role, day, escalated=escalated)]


BEN_AWAY = ("roles: [marketing_owner, account_owner]", f"roles: [marketing_owner, account_owner], {AWAY}")
ADA_AWAY = ("delegate: own-ben", f"delegate: own-ben, {AWAY}")
DORA_AWAY = ("roles: [account_owner]", f"roles: [account_owner], {AWAY}")


class TestAbsence:
    def test_whoever_is_there_is_asked_and_his_delegate(self, tmp_path: Path) -> None:
        """On a day on which nobody is away it is as it always was."""
        assert asked(standing_in(tmp_path, ADA_AWAY), "own-ada", "marketing_owner", NEW_YEAR) == ["ada", "ben"]

    @pytest.mark.parametrize("day", [date(2026, 12, 21), CHRISTMAS, date(2026, 12, 31)])
    def test_while_an_owner_is_away_his_delegate_is_asked(self, tmp_path: Path, day: date) -> None:
        """From the first day to the last, both included."""
        assert asked(standing_in(tmp_path, ADA_AWAY), "own-ada", "marketing_owner", day) == ["ben"]

    def test_delegate_who_is_away_passes_it_on(self, tmp_path: Path) -> None:
        """Along the delegations, to the first who is there and has the role."""
        owners = standing_in(
            tmp_path, ADA_AWAY, BEN_AWAY, ("roles: [offer_approver]", "roles: [offer_approver, marketing_owner]"),
            (f"account_owner], {AWAY}", f"account_owner], {AWAY}, delegate: own-olu"),
        )  # fmt: skip
        assert asked(owners, "own-ada", "marketing_owner", CHRISTMAS) == ["olu"]

    def test_when_all_are_away_the_deputy_of_the_role_is_asked(self, tmp_path: Path) -> None:
        """And he alone; without him nobody is."""
        assert asked(standing_in(tmp_path, BEN_AWAY), "own-ben", "account_owner", CHRISTMAS) == ["dora"]
        assert asked(standing_in(tmp_path, BEN_AWAY), "own-ben", "marketing_owner", CHRISTMAS) == []
        assert asked(standing_in(tmp_path, BEN_AWAY, DORA_AWAY), "own-ben", "account_owner", CHRISTMAS) == []

    def test_what_nobody_answered_is_asked_of_the_deputy_besides(self, tmp_path: Path) -> None:
        """The owner is still asked, too."""
        owners = standing_in(tmp_path)
        assert asked(owners, "own-ben", "account_owner", CHRISTMAS) == ["ben"]
        assert asked(owners, "own-ben", "account_owner", CHRISTMAS, escalated=True) == ["ben", "dora"]

    def test_deputy_stands_in_for_people_and_not_for_rights(self, tmp_path: Path) -> None:
        """Who has no signer by right has none by a deputy."""
        assert asked(standing_in(tmp_path), "own-cleo", "account_owner", CHRISTMAS, escalated=True) == []

    def test_days_on_which_nobody_would_be_asked_are_found(self, tmp_path: Path) -> None:
        """Only those to come, and only where neither delegate nor deputy is there."""
        covered = standing_in(tmp_path, ADA_AWAY)
        bare = standing_in(tmp_path, ADA_AWAY, BEN_AWAY)

        assert list(gaps(covered, CHRISTMAS)) == []
        found = [(gap.owner_id, gap.role, gap.first, gap.last) for gap in gaps(bare, CHRISTMAS)]
        assert found == [
            (owner, "marketing_owner", CHRISTMAS, date(2026, 12, 31)) for owner in ("own-ada", "own-ben")
        ]  # fmt: skip
        assert list(gaps(bare, NEW_YEAR)) == []


class TestRefusal:
    def test_numeric_user_ids_are_text(self) -> None:
        """FAB's auth manager knows users by number."""
        assert parse_owners(TEXT.replace("user: ada", "user: 17"), "o")["own-ada"].user == "17"

    @pytest.mark.parametrize(("before", "after", "message"), [
        ("user: ben", "user: ada", "one person would count as two signers"),
        ("delegate: own-ben", "delegate: own-ada", "delegates to itself"),
        ("delegate: own-ben", "delegate: own-zed", "who is not in this file"),
        ("roles: [marketing_owner, account_owner]", "roles: [marketing_owner, account_owner], delegate: own-ada",
         "in a circle, own-ada to own-ben to own-ada"),
        ("deputies: {account_owner: own-dora}", "deputies: {account_owner: own-zed}", "own-zed, who is not in this"),
        ("deputies: {account_owner: own-dora}", "deputies: {account_owner: own-cleo}", "does not have that role"),
        ("delegate: own-ben", "away: [{since: 2026-12-21, until: 2026-12-20}]", "ends on 2026-12-20 before"),
        ("delegate: own-ben", "away: [{since: Christmas, until: 2026-12-20}]", "owners.own-ada.away[0].since"),
        ("roles: [compliance]", "roles: [complience]", "did you mean compliance?"),
        ("roles: [compliance]", "roles: []", "at least 1 item"),
        ("name: Cleo Ward", r'name: "Cleo\nBcc: x"', "owners.own-cleo.name: found a value"),
    ])  # fmt: skip
    def test_what_cannot_hold_is_refused(self, before: str, after: str, message: str) -> None:
        """Two entries for one user, idle delegation, unknown roles and names that could forge a header."""
        with pytest.raises(OwnersError) as refused:
            parse_owners(TEXT.replace(before, after), "owners.yaml")
        assert message in str(refused.value)

    def test_addresses_are_not_repeated_in_messages(self) -> None:
        """A refusal goes to logs, so it names the field and not the address."""
        with pytest.raises(OwnersError) as refused:
            parse_owners(TEXT.replace("cleo@harbour-finch.example", "cleo at home"), "owners.yaml")
        assert "cleo at home" not in str(refused.value)

    def test_a_missing_file_says_so(self, tmp_path: Path) -> None:
        """The path is in the message."""
        with pytest.raises(OwnersError, match=r"nobody.yaml:1 cannot be read"):
            load_owners(tmp_path / "nobody.yaml")
