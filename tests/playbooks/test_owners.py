"""Owners: who may sign what, and that nobody becomes two signers."""

from __future__ import annotations

from pathlib import Path

import pytest

from reactivation import paths
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


class TestRefusal:
    def test_numeric_user_ids_are_text(self) -> None:
        """FAB's auth manager knows users by number."""
        assert parse_owners(TEXT.replace("user: ada", "user: 17"), "o")["own-ada"].user == "17"

    @pytest.mark.parametrize(("before", "after", "message"), [
        ("user: ben", "user: ada", "one person would count as two signers"),
        ("delegate: own-ben", "delegate: own-ada", "delegates to itself"),
        ("delegate: own-ben", "delegate: own-zed", "who is not in this file"),
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
