"""What the tables tell: the stated shares, the seasons, and every customer written by hand."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from tests.sample.crm import AS_OF, instants, people, rows

from reactivation.playbooks.model import Playbook
from reactivation.sample.cast import MEMBERS
from reactivation.sample.consents import SOFT_OPT_IN
from reactivation.sample.countries import COUNTRIES
from reactivation.sample.telephones import telephone_numbers
from reactivation.sample.traits import FITS, PERMISSIONS, RELATIONSHIPS, WINDOWS
from reactivation.sample.world import SEGMENTS

OPENS_DO_NOT_COUNT = {"GB", "DE", "FR", "IE", ""}
SIGNS_OF_LIFE = ["visit", "login", "reply", "click", "usage", "browse", "cart_add", "cart_abandon"]


def quiet_days(folder: Path) -> pd.Series:
    """Whole days since each customer's last sign of life, from the raw facts alone."""
    contacts = people(folder)
    bought = rows(folder, "purchases").assign(at=lambda t: instants(t["occurred_at"]))
    events = rows(folder, "engagements").assign(at=lambda t: instants(t["occurred_at"]))
    country = events["customer_id"].map(contacts["country"]).fillna("")
    alive = events["kind"].isin(SIGNS_OF_LIFE) | ((events["kind"] == "open") & ~country.isin(OPENS_DO_NOT_COUNT))
    both = pd.concat([bought[bought["cancelled_at"] == ""], events[alive]])[["customer_id", "at"]]
    last = both.groupby("customer_id")["at"].max().reindex(contacts.index)
    return (pd.Timestamp(AS_OF) - last).dt.days


def dormant(folder: Path) -> pd.Series:
    """Customers quiet for their segment's window; newsletter readers who never bought are no customers."""
    contacts = people(folder)
    window = contacts["business_segment"].map(dict(zip(SEGMENTS, WINDOWS, strict=True)))
    return (quiet_days(folder) >= window) & (contacts["is_subscriber_only"] == "false")


def member(first: str) -> str:
    """The customer id of a hand-written customer by first name."""
    return f"cus-{[m.first for m in MEMBERS].index(first) + 1:07d}"


class TestShares:
    """The stated shares, from the tables."""

    def test_segments_and_countries(self, many: Path) -> None:
        """62, 23 and 15 % by segment; about 70 % in Britain."""
        contacts = people(many)
        shares = contacts["business_segment"].value_counts(normalize=True)
        assert shares["household"] == pytest.approx(0.62, abs=0.02)
        assert shares["care_plan"] == pytest.approx(0.23, abs=0.02)
        assert shares["business"] == pytest.approx(0.15, abs=0.02)
        homes = contacts[contacts["business_segment"] != "business"]
        for country in COUNTRIES:
            assert (homes["country"] == country.code).mean() == pytest.approx(country.share / 1000, abs=0.02)

    @pytest.mark.parametrize("sample", ["crm", "many"])
    def test_about_half_of_the_customers_are_dormant(self, request: pytest.FixtureRequest, sample: str) -> None:
        """Between 45 and 60 %, in the small sample and the large one."""
        assert 0.45 <= dormant(request.getfixturevalue(sample)).mean() <= 0.60

    def test_every_dormancy_range_is_there(self, crm: Path) -> None:
        """Early warning, active risk, critical and deep, nine months among them."""
        quiet = quiet_days(crm)[dormant(crm)]
        ranges = pd.cut(quiet, [60, 90, 120, 180, 1e5], right=False).value_counts()
        assert ranges.min() >= 5
        assert ((quiet >= 260) & (quiet < 290)).sum() >= 5

    @pytest.mark.parametrize(("column", "shares"), [("fit", FITS), ("relationship", RELATIONSHIPS)])
    def test_flags_of_the_crm(self, many: Path, column: str, shares: dict[str, int]) -> None:
        """Most are good and normal; some say no; some say nothing."""
        found = people(many)[column].value_counts(normalize=True)
        for word, share in shares.items():
            assert found.get(word, 0) == pytest.approx(share / 1000, abs=0.01), word

    @pytest.mark.parametrize("sample", ["crm", "many"])
    def test_consent_is_clear_for_nearly_everybody(self, request: pytest.FixtureRequest, sample: str) -> None:
        """At most 5 % of the dormant have neither a yes nor a no on record, so readiness passes."""
        folder = request.getfixturevalue(sample)
        consents = rows(folder, "consents")
        clear = consents[(consents["channel"] == "email") & (consents["state"] != "unknown")]["customer_id"]
        who = dormant(folder)
        unclear = ~who[who].index.isin(set(clear))
        assert 0.005 <= unclear.mean() <= 0.05

    def test_seasons(self, many: Path) -> None:
        """Boilers are a winter trade and gardens a spring one."""
        bought = rows(many, "purchases")
        month = instants(bought["occurred_at"]).dt.month
        boilers = bought["category"] == "boilers"
        gardens = bought["category"] == "gardens"
        assert boilers[month.isin([11, 12, 1, 2])].mean() > 2 * boilers[month.isin([5, 6, 7, 8])].mean()
        assert gardens[month.isin([3, 4, 5, 6])].mean() > 3 * gardens[month.isin([10, 11, 12, 1])].mean()

    def test_three_years_of_history(self, many: Path) -> None:
        """Purchases reach back about three years, and margins are known for most."""
        bought = rows(many, "purchases")
        oldest = (pd.Timestamp(AS_OF) - instants(bought["occurred_at"]).min()).days
        assert 950 <= oldest <= 1200
        assert (bought["margin"] != "").mean() == pytest.approx(0.94, abs=0.01)

    def test_accounts_have_people_owners_and_a_leading_contact(self, crm: Path) -> None:
        """Every business contact belongs to an account; some accounts have several people."""
        contacts, accounts = rows(crm, "contacts"), rows(crm, "accounts")
        business = contacts[contacts["business_segment"] == "business"]
        assert (business["account_id"] != "").all()
        assert (contacts[contacts["business_segment"] != "business"]["account_id"] == "").all()
        assert business["account_id"].value_counts().max() >= 3
        assert (accounts["owner_id"] == "own-ben").mean() > 0.9


class TestFunnel:
    """How far the dormant of the default sample get by a plain reading of the rules."""

    def test_a_third_may_be_written_to(self, crm: Path) -> None:
        """25 to 40 % of the dormant are permitted, reachable and free of holds: some 60 to 100, over all segments."""
        reached = _reached(crm)
        assert 0.25 <= len(reached) / dormant(crm).sum() <= 0.40
        assert 60 <= len(reached) <= 100
        segments = people(crm).loc[reached]["business_segment"].value_counts()
        assert set(segments.index) == set(SEGMENTS)

    def test_both_owners_have_work_and_some_of_it_is_delicate(self, crm: Path) -> None:
        """Ada and Ben each have lists, and some people need a look of their own."""
        reached = people(crm).loc[_reached(crm)]
        bens = (reached["owner_id"] == "own-ben") | (reached["business_segment"] == "business")
        assert 5 <= bens.sum() <= len(reached) - 30
        delicate = (
            (reached["relationship"] != "normal") | (reached["fit"] != "good") | (reached["value_tier"] == "high")
        )
        assert 4 <= delicate.sum() <= 30

    @pytest.mark.parametrize("story", [story for story in PERMISSIONS if story not in ("valid", "state_unknown")])
    def test_each_way_to_lack_permission_is_there(self, crm: Path, story: str) -> None:
        """Every kind of *no* of the default sample can be found in its records."""
        assert len(_without_permission(crm, story)) >= 1


class TestCast:
    """The customers written by hand, each as its story says."""

    def test_every_name_arrives_unchanged(self, crm: Path) -> None:
        """Quotes, marks, line breaks, markup and emoji survive the file."""
        contacts = people(crm)
        for number, written in enumerate(MEMBERS):
            row = contacts.loc[f"cus-{number + 1:07d}"]
            assert (row["first_name"], row["last_name"]) == (written.first or "", written.last or "")
            assert row["country"] == written.country

    def test_the_readme_tells_every_story(self, crm: Path) -> None:
        """Each story is in README.txt with the customer's id, beside the scene of the source document."""
        text = (crm / "README.txt").read_text(encoding="utf-8")
        for number, written in enumerate(MEMBERS):
            assert f"cus-{number + 1:07d}  {written.story}" in text
        assert "400 customers" in text
        assert "nine months" in text

    def test_the_former_client_with_the_unresolved_invoice(self, crm: Path) -> None:
        """Dormant for nine months, an open billing case of the account, notes and a reason."""
        who = member("Imogen")
        contact = people(crm).loc[who]
        account = rows(crm, "accounts").set_index("account_id").loc[contact["account_id"]]
        cases = rows(crm, "cases")
        case = cases[(cases["account_id"] == contact["account_id"]) & (cases["closed_at"] == "")]
        assert quiet_days(crm)[who] == 275
        assert case["kind"].tolist() == ["billing"]
        assert account["primary_contact_id"] == who
        assert account["inactivity_reason"] == "billing_issue"
        assert "double charge" in account["relationship_notes"]

    @pytest.mark.parametrize(("days", "is_dormant"), [(90, True), (89, False)])
    def test_the_edge_of_the_window(self, crm: Path, days: int, is_dormant: bool) -> None:
        """Exactly 90 days is dormant, 89 is not."""
        who = member({90: "Edie", 89: "Ned"}[days])
        assert quiet_days(crm)[who] == days
        assert dormant(crm)[who] == is_dormant

    def test_a_flag_without_evidence(self, crm: Path) -> None:
        """consent_email is TRUE and no consent row exists."""
        who = member("Flora")
        consents = rows(crm, "consents")
        assert people(crm).loc[who, "consent_email"] == "true"
        assert not ((consents["customer_id"] == who) & (consents["channel"] == "email")).any()

    def test_a_withdrawal_behind_a_stale_flag(self, crm: Path) -> None:
        """The flag says yes, a later record says no."""
        records = rows(crm, "consents").query("customer_id == @who", local_dict={"who": member("Wilma")})
        assert people(crm).loc[member("Wilma"), "consent_email"] == "true"
        assert records.sort_values("occurred_at")["state"].tolist()[-1] == "withdrawn"

    def test_a_soft_opt_in_with_four_conditions(self, crm: Path) -> None:
        """One of the five is missing."""
        record = _email_record(crm, "Colin")
        assert record["basis"] == "soft_opt_in"
        assert len(set(SOFT_OPT_IN) & set(record["conditions"].split("|"))) == 4

    def test_a_confirmed_double_opt_in(self, crm: Path) -> None:
        """German, confirmed after it was given."""
        record = _email_record(crm, "Jürgen")
        assert (record["jurisdiction"], record["basis"]) == ("DE", "double_opt_in")
        assert record["confirmed_at"] > record["occurred_at"]

    def test_implied_consent_that_ran_out(self, crm: Path) -> None:
        """Canadian, by a purchase more than two years ago."""
        record = _email_record(crm, "Maple")
        assert (record["jurisdiction"], record["basis"]) == ("CA", "implied_purchase")
        assert (pd.Timestamp(AS_OF) - pd.Timestamp(record["event_date"])).days > 730

    def test_a_pair_with_one_address(self, crm: Path) -> None:
        """Two customers, one mailbox."""
        contacts = people(crm)
        assert contacts.loc[member("Joan"), "email"] == contacts.loc[member("Jim"), "email"] != ""

    def test_stops_by_address_and_only_elsewhere(self, crm: Path) -> None:
        """One opt-out is known by its address alone, one only by the newsletter tool's event."""
        contacts, stops, events = people(crm), rows(crm, "suppressions"), rows(crm, "engagements")
        by_address = stops[stops["address"].str.lower() == contacts.loc[member("Otto"), "email"].lower()]
        assert by_address["customer_id"].tolist() == [""]
        una = events[(events["customer_id"] == member("Una")) & (events["kind"] == "unsubscribe")]
        assert len(una) == 1
        assert member("Una") not in set(stops["customer_id"])

    def test_who_is_known_by_address_alone_has_one_that_can_be_read(self, many: Path) -> None:
        """An opt-out that names nobody would make the whole source not ready."""
        stops = rows(many, "suppressions")
        alone = stops[stops["customer_id"] == ""]["address"]
        assert len(alone) > 50
        assert alone.str.lower().map(_is_valid).all()

    def test_opens_of_a_mail_client_are_recent(self, crm: Path) -> None:
        """An open of last week, and nothing else for months."""
        who = member("Mona")
        opened = instants(people(crm)["last_email_opened"])[who]
        assert (pd.Timestamp(AS_OF) - opened).days == 6
        assert dormant(crm)[who]

    def test_sources_that_disagree(self, crm: Path) -> None:
        """The contact names one owner, its account another."""
        contact = people(crm).loc[member("Claire")]
        account = rows(crm, "accounts").set_index("account_id").loc[contact["account_id"]]
        assert (contact["owner_id"], account["owner_id"]) == ("own-ada", "own-ben")


class TestAddresses:
    """Nobody real can be reached."""

    def test_every_address_is_below_a_reserved_domain(self, many: Path) -> None:
        """RFC 2606: .example, and example.com."""
        emails = rows(many, "contacts")["email"].str.lower()
        emails = emails[emails != ""]
        assert emails.str.contains(r"(?:\.example|[@ ]example\.com)$").all()
        assert emails.map(_is_valid).mean() > 0.97

    @pytest.mark.parametrize("code", [country.code for country in COUNTRIES if country.share])
    def test_numbers_are_of_their_country_and_have_one_holder(self, many: Path, code: str) -> None:
        """A reserved number parses for its country and belongs to one customer."""
        phones = people(many).query("country == @code", local_dict={"code": code})["phone"]
        phones = phones[~phones.isin(["", "ring the office"])]
        parsed = [phonenumbers.parse(phone, code) for phone in phones]
        places = next(len(c.places) for c in COUNTRIES if c.code == code)
        reserved = {
            phonenumbers.parse(n, code).national_number for p in range(places) for n in telephone_numbers(code, p)
        }
        assert {number.national_number for number in parsed} <= reserved
        assert len({number.national_number for number in parsed}) == len(parsed) > 0

    def test_some_british_numbers_are_mobiles_and_some_are_in_international_form(self, crm: Path) -> None:
        """Local notation is usual; a tenth is dialled from abroad."""
        phones = people(crm)["phone"]
        assert phones.str.startswith("07700 900").sum() > 50
        assert 5 < phones.str.startswith("+").sum() < 80


class TestOffersAndClaims:
    """What may be offered and said."""

    def test_the_playbooks_offer_can_be_used(self, crm: Path, playbook: Playbook) -> None:
        """offer-credit-15 has begun, lasts 60 days more, costs less than its face, and has codes and a budget."""
        offers = rows(crm, "offers").set_index("offer_id")
        named = {touch.offer for touch in playbook.touches if touch.offer}
        assert named <= set(offers.index)
        offer = offers.loc["offer-credit-15"]
        assert (offer["kind"], offer["value"], offer["currency"], offer["redeem_within_hours"]) == (
            "credit",
            "15.00",
            "GBP",
            "72",
        )
        assert float(offer["unit_cost"]) < 15
        assert pd.Timestamp(offer["starts_at"]) < pd.Timestamp(AS_OF)
        assert (pd.Timestamp(offer["ends_at"]) - pd.Timestamp(AS_OF)).days >= 60
        assert float(offer["budget"]) > 100 * float(offer["unit_cost"])
        assert int(offer["codes_available"]) >= 100

    def test_every_kind_of_offer_and_both_kinds_of_claim(self, crm: Path) -> None:
        """From nothing to a percentage; some claims were reviewed, some were not."""
        assert set(rows(crm, "offers")["kind"]) == {"none", "early_access", "points", "credit", "percent"}
        reviewed = rows(crm, "claims")["reviewed_by"] != ""
        assert reviewed.any()
        assert not reviewed.all()

    def test_the_windows_are_the_playbooks(self, crm: Path, playbook: Playbook) -> None:
        """The sample's idea of quiet is the playbook's."""
        assert playbook.windows == dict(zip(SEGMENTS, WINDOWS, strict=True))

    def test_the_columns_that_the_playbook_requires_are_there(self, crm: Path, playbook: Playbook) -> None:
        """Every required column of every required table."""
        for table, columns in playbook.requires.items():
            assert set(columns) <= set(rows(crm, table).columns)


def _email_record(folder: Path, first: str) -> pd.Series:
    consents = rows(folder, "consents")
    return consents[(consents["customer_id"] == member(first)) & (consents["channel"] == "email")].iloc[0]


def _is_valid(address: str) -> bool:
    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


def _good_records(folder: Path) -> pd.DataFrame:
    """Granted e-mail records that a careful reader accepts, with the age of each."""
    records = rows(folder, "consents")
    records = records[(records["channel"] == "email") & (records["state"] == "granted")]
    at = instants(records["occurred_at"])
    complete = records["conditions"].map(lambda cell: set(SOFT_OPT_IN) <= set(cell.split("|")))
    accepted = (
        ((records["jurisdiction"] == "GB") & (records["basis"] == "soft_opt_in") & complete)
        | ((records["jurisdiction"] == "DE") & (records["basis"] == "double_opt_in") & (records["confirmed_at"] != ""))
        | (
            (records["jurisdiction"] != "DE")
            & (records["basis"] == "express")
            & (records["affirmative_action"] == "true")
        )
        | ((records["jurisdiction"] == "CA") & (records["basis"] == "implied_purchase") & (records["event_date"] != ""))
    )
    evidenced = (records["disclosure_version"] != "") & (records["evidence_ref"] != "")
    own = records["collected_by_brand"] == records["brand"]
    fresh = (pd.Timestamp(AS_OF) - at).dt.days <= 700
    return records[accepted & evidenced & own & fresh]


def _reached(folder: Path) -> pd.Index:
    contacts, records = people(folder), rows(folder, "consents")
    refused = records[records["state"].isin(["withdrawn", "objected"]) & (records["channel"] == "email")]["customer_id"]
    stops, events, cases = rows(folder, "suppressions"), rows(folder, "engagements"), rows(folder, "cases")
    stopped = set(stops["customer_id"]) | set(
        events[events["kind"].isin(["bounce", "complaint", "unsubscribe"])]["customer_id"]
    )
    addresses = set(stops["address"].str.lower()) - {""}
    unresolved = cases[cases["closed_at"] == ""]
    fine = (
        dormant(folder)
        & contacts.index.isin(set(_good_records(folder)["customer_id"]) - set(refused) - stopped)
        & ~contacts["email"].str.lower().isin(addresses)
        & contacts["email"].map(_is_valid)
        & ~contacts["email"].str.contains(r"^(?:info|office|accounts)@", case=False)
        & ~contacts.index.isin(set(unresolved["customer_id"]))
        & ~contacts["account_id"].isin(set(unresolved["account_id"]) - {""})
        & ~contacts["relationship"].isin(["poor", "dispute", "legal", "no_contact"])
        & (contacts["fit"] != "bad")
        & (contacts["country"] != "")
    )
    return contacts.index[fine]


def _without_permission(folder: Path, story: str) -> pd.DataFrame:
    """Rows that show one way to lack permission: consents, or contacts where there is no row."""
    records, contacts = rows(folder, "consents"), people(folder)
    mail = records[records["channel"] == "email"]
    granted = mail[mail["state"] == "granted"]
    age = (pd.Timestamp(AS_OF) - instants(granted["occurred_at"])).dt.days
    without_row = contacts[~contacts.index.isin(set(mail["customer_id"]))]
    soft = granted["basis"] == "soft_opt_in"
    found = {
        "withdrawn": mail[mail["state"] == "withdrawn"],
        "objected": mail[mail["state"] == "objected"],
        "condition_missing": granted[soft & (granted["conditions"].str.count(r"\|") == 3)],
        "no_evidence": granted[granted["evidence_ref"] == ""],
        "expired": granted[age > 730],
        "wrong_basis": granted[granted["basis"] == "opt_out_regime"],
        "flag_only": without_row[without_row["consent_email"] == "true"],
        "nothing": without_row[without_row["consent_email"] == ""],
        "other_brand": granted[granted["collected_by_brand"] != granted["brand"]],
    }
    return found[story]
