"""Lint: each content rule finds what it is for, and leaves a faultless message alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.messages.letters import FOOTER, HEADERS, LINK, TENANT, proof

from reactivation.messages.lint import lint
from reactivation.messages.proof import Proof


def codes(judged: Proof) -> set[str]:
    return {finding.code for finding in lint(judged)}


def both(words: str) -> Proof:
    """The faultless message with these words in both parts."""
    return proof(words)


@pytest.mark.parametrize("with_offer", [False, True])
def test_a_faultless_message_has_no_findings(with_offer: bool) -> None:
    """The rules do not fire on a message that keeps them."""
    assert lint(proof(with_offer=with_offer)) == ()


class TestSubject:
    @pytest.mark.parametrize("subject", ["Re: your note", "re[2]: hello", "Fwd: look", "AW: Frage", "  RE : hi"])
    def test_a_reply_mark_fakes_a_thread(self, subject: str) -> None:
        """Nobody wrote first, so nothing is an answer."""
        assert "subject_fakes_thread" in codes(replace(proof(), subject=subject))

    @pytest.mark.parametrize("subject", [
        "Your order is waiting", "Your account has been suspended", "Action required", "As discussed",
        "Invoice for you", "Your appointment tomorrow", "Password check", "Following up on our call",
    ])  # fmt: skip
    def test_an_invented_event_is_found(self, subject: str) -> None:
        """A curiosity subject may not pretend a conversation, an order or an account event."""
        assert "subject_fakes_event" in codes(replace(proof(), subject=subject))

    @pytest.mark.parametrize("subject", ["Regarding spring", "Reading weather", "Can I ask you one thing?"])
    def test_honest_subjects_pass(self, subject: str) -> None:
        """Words that only begin like a reply mark are words."""
        assert lint(replace(proof(), subject=subject)) == ()

    @pytest.mark.parametrize(("subject", "code"), [
        ("", "subject_empty"), ("x" * 121, "subject_long"), ("COME BACK TO US", "subject_shouts"),
        ("Come back!!", "subject_shouts"), ("One line\r\nBcc: all@evil.test", "header_unsafe"),
        ("One line\x00", "header_unsafe"), ("A {{ name }} for you", "template_leftover"),
        ("\u202etnuocsid", "hidden_characters"),
    ])  # fmt: skip
    def test_broken_subjects_are_found(self, subject: str, code: str) -> None:
        """Empty, endless, shouting, forging or unfinished."""
        assert code in codes(replace(proof(), subject=subject))


class TestWhoAndWayOut:
    def test_the_sender_is_the_declared_one(self) -> None:
        """No other address, and not two."""
        assert codes(replace(proof(), sender="Support <support@evil.test>")) == {"sender_foreign"}
        two = "Harbour <hello@harbour-finch.example>, <hello@harbour-finch.example>"
        assert codes(replace(proof(), sender=two)) == {"sender_foreign"}

    @pytest.mark.parametrize(("gone", "code"), [
        (TENANT.legal_name, "legal_name_missing"), (TENANT.postal_address, "postal_address_missing"),
    ])  # fmt: skip
    @pytest.mark.parametrize("part", ["text", "html"])
    def test_the_company_stands_in_both_parts(self, gone: str, code: str, part: str) -> None:
        """A reader of either part can see who writes and where from."""
        judged = proof()
        without = getattr(judged, part).replace(gone.replace("&", "&amp;") if part == "html" else gone, "we")
        assert codes(replace(judged, **{part: without})) == {code}

    @pytest.mark.parametrize("part", ["text", "html"])
    def test_the_way_out_is_visible_in_both_parts(self, part: str) -> None:
        """A link in a header only is no visible way out."""
        judged = proof()
        without = getattr(judged, part).replace(LINK, TENANT.account_url)
        assert codes(replace(judged, **{part: without})) == {"unsubscribe_missing"}

    @pytest.mark.parametrize(("headers", "code"), [
        (HEADERS[1:], "list_unsubscribe"), (HEADERS[:1], "list_unsubscribe_post"),
        ((("List-Unsubscribe", f"<{LINK}>"), HEADERS[1]), "list_unsubscribe"),
        ((("List-Unsubscribe", f"<{LINK}0>, <mailto:a@b.test>"), HEADERS[1]), "list_unsubscribe"),
        ((HEADERS[0], ("List-Unsubscribe-Post", "yes")), "list_unsubscribe_post"),
    ])  # fmt: skip
    def test_one_click_unsubscribe_is_whole(self, headers: tuple[tuple[str, str], ...], code: str) -> None:
        """Both headers, with the recipient's own https link and a mailto."""
        assert codes(replace(proof(), headers=headers)) == {code}

    def test_headers_cannot_begin_another(self) -> None:
        """A line break in any header is found."""
        assert "header_unsafe" in codes(replace(proof(), headers=(*HEADERS, ("X-Note", "a\nBcc: b@evil.test"))))


class TestParts:
    def test_both_parts_have_words(self) -> None:
        """A message without text part, or whose HTML shows nothing, is not sent."""
        assert "text_part_empty" in codes(replace(proof(), text=" \n"))
        assert "html_part_empty" in codes(replace(proof(), html="<html><body><p></p></body></html>"))

    @pytest.mark.parametrize("piece", [
        '<img src="https://harbour-finch.example/p.gif" width="1" height="1">', "<IMG SRC=x>", "<script>1</script>",
        '<div style="background-image:url(https://x.test/y)"></div>', '<table background="x"></table>',
        "<iframe></iframe>", "<form></form>", '<link rel="stylesheet">', "<style>@import 'x'</style>",
    ])  # fmt: skip
    def test_nothing_is_loaded(self, piece: str) -> None:
        """No tracking pixel, and nothing else that tells anybody the mail was opened."""
        judged = proof()
        assert "remote_content" in codes(replace(judged, html=judged.html.replace("</body>", f"{piece}</body>")))

    @pytest.mark.parametrize("link", [
        "http://harbour-finch.example/x", "https://evil.test/", "https://bit.ly/x", "javascript:alert(1)",
        "mailto:someone@evil.test", "https://harbour-finch.example.evil.test/", "/relative",
    ])  # fmt: skip
    def test_links_lead_home(self, link: str) -> None:
        """Only https to the tenant's own domains, or mail to the tenant."""
        judged = proof()
        page = judged.html.replace("</body>", f'<a href="{link}">look</a></body>')
        assert codes(replace(judged, html=page)) == {"link_foreign"}

    @pytest.mark.parametrize("words", ["See http://evil.test/x", "See (https://evil.test).", "See www.evil.test"])
    def test_links_in_the_text_part_lead_home_too(self, words: str) -> None:
        """Mail programs make links of plain words."""
        judged = proof()
        assert codes(replace(judged, text=f"{judged.text}\n{words}")) == {"link_foreign"}

    def test_links_that_cannot_be_read_are_refused(self) -> None:
        """A link in other quotes would pass unseen."""
        judged = proof()
        page = judged.html.replace("</body>", "<a HREF='https://evil.test'>look</a></body>")
        assert "link_unreadable" in codes(replace(judged, html=page))

    @pytest.mark.parametrize("words", ["Hello {{ first_name }}", "{% if x %}", "*|FNAME|*", "[[name]]", "Lorem ipsum"])
    def test_marks_of_a_template_are_found(self, words: str) -> None:
        """What was meant to be filled in and was not."""
        assert "template_leftover" in codes(both(words))

    @pytest.mark.parametrize("mark", ["\u202e", "\u2066", "\x07", "\u2028", "\r"])
    def test_hidden_characters_are_found(self, mark: str) -> None:
        """Direction marks and control characters can show one thing and mean another."""
        judged = proof()
        assert "hidden_characters" in codes(replace(judged, text=judged.text + mark))


class TestIncentives:
    @pytest.mark.parametrize("words", [
        "A discount awaits", "We offer more", "Save today", "It is free", "20% less", "£15 for you", "$ 20", "15 GBP",
        "500 points", "Some credit", "A voucher", "Use this coupon", "Special terms", "The best price", "15 pounds off",
        "15€", "15 £", "EUR 15", "20 dollars", "Two for one", "A visit on the house", "At no charge",
    ])  # fmt: skip
    @pytest.mark.parametrize("part", ["subject", "text", "html"])
    def test_no_word_of_an_incentive_without_an_offer(self, words: str, part: str) -> None:
        """Wherever it stands: an offer in the bytes implies an offer."""
        judged = proof()
        changed = words if part == "subject" else getattr(judged, part).replace("It has been a while.", words)
        assert "incentive_without_offer" in codes(replace(judged, **{part: changed}))

    @pytest.mark.parametrize("words", [
        "A dis\u00adcount", "A dis\u200bcount", "ＤＩＳＣＯＵＮＴ", "１５％", "𝐅𝐑𝐄𝐄", "An o\ufb00er", "Money\u00a0off",
        "A d\u2060eal",
    ])  # fmt: skip
    @pytest.mark.parametrize("part", ["subject", "text", "html"])
    def test_no_shape_of_letters_hides_an_incentive(self, words: str, part: str) -> None:
        """Signs without width, full-width and bold letters, ligatures: what is read counts, not how it is stored."""
        judged = proof()
        changed = words if part == "subject" else getattr(judged, part).replace("It has been a while.", words)
        assert "incentive_without_offer" in codes(replace(judged, **{part: changed}))

    @pytest.mark.parametrize("words", ["Feel free to reply", "A pointed question", "Offering no excuse: creditable"])
    def test_words_that_only_look_like_it_pass(self, words: str) -> None:
        """Whole words count, and feel free is a courtesy."""
        assert lint(both(words)) == ()

    def test_names_are_no_incentives(self) -> None:
        """A customer called Gift and an owner called Price are people."""
        judged = proof()
        text = judged.text.replace("Maeve", "Gift").replace("Ada Marsh", "Olu Price")
        page = judged.html.replace("Maeve", "Gift").replace("Ada Marsh", "Olu Price")
        assert lint(replace(judged, salutation="Hello Gift", owner_name="Olu Price", text=text, html=page)) == ()

    def test_a_pattern_interrupt_names_no_product(self) -> None:
        """Touch 1 recaptures attention without selling; as part of a longer word it is no name."""
        assert codes(both("How was the boiler service?")) == {"product_named"}
        assert lint(both("How was the boiler serviceability?")) == ()
        assert "product_named" not in codes(replace(both("How was the boiler service?"), pattern="relevance"))


class TestOffers:
    def test_a_reward_without_offer_is_refused(self) -> None:
        """Touch 3 promises something or is not sent."""
        assert "offer_missing" in codes(replace(proof(), pattern="value_reward"))

    @pytest.mark.parametrize("words", ["Take 15% off.", "Fifteen percent off.", "15 per cent for you."])
    def test_a_value_reward_states_no_percentage(self, words: str) -> None:
        """Touch 3 rewards with credit or points."""
        assert codes(proof(words, with_offer=True)) == {"percent_in_reward"}

    @pytest.mark.parametrize(("value", "code"), [
        ("£15 of account credit", "offer_reward_missing"), ("Once per household.", "offer_terms_missing"),
        ("Friday, 10:00", "offer_deadline_missing"), ("K7QD-M2RX", "offer_code_missing"),
    ])  # fmt: skip
    @pytest.mark.parametrize("part", ["text", "html"])
    def test_the_whole_offer_stands_in_both_parts(self, value: str, code: str, part: str) -> None:
        """Reward, terms, deadline and code: what was approved is what is read."""
        judged = proof(with_offer=True)
        assert code in codes(replace(judged, **{part: getattr(judged, part).replace(value, "it")}))

    def test_terms_stand_next_to_the_claim(self) -> None:
        """Terms a page further down are hidden terms."""
        judged = proof(with_offer=True)
        far = judged.text.replace("Once per household.", "words " * 150 + "Once per household.")
        assert codes(replace(judged, text=far)) == {"terms_far_from_claim"}

    def test_no_offer_is_the_last_while_a_better_one_is_planned(self) -> None:
        """An incentive ladder does not lie about its rungs; the top rung may say what it is."""
        judged = proof("This is our last and best offer.", with_offer=True)
        assert codes(judged) == {"offer_called_last"}
        assert judged.offer is not None
        assert lint(replace(judged, offer=replace(judged.offer, better_planned=False))) == ()


class TestOfOneForAll:
    def test_what_belongs_to_one_recipient_does_not_change_the_verdict(self) -> None:
        """Two customers' proofs are judged as one, so fifty thousand cost as little as one."""
        other = "11111111-2222-5333-8444-555555555555"

        def of(name: str, touch_id: str) -> Proof:
            judged = proof(with_offer=True)
            changed = {
                part: getattr(judged, part).replace("Hello Maeve", f"Hello {name}").replace(judged.touch_id, touch_id)
                for part in ("text", "html", "unsubscribe_url")
            }
            headers = tuple((header, value.replace(judged.touch_id, touch_id)) for header, value in judged.headers)
            return replace(judged, touch_id=touch_id, salutation=f"Hello {name}", headers=headers, **changed)

        assert of("Maeve", proof().touch_id).for_nobody() == of("Zoë", other).for_nobody()
        assert lint(of("Zoë", other)) == ()

    @pytest.mark.parametrize("name", ["{{ 6*7 }}", "\u202eeveaM", "Mae\nve"])
    def test_a_recipients_own_values_are_judged_too(self, name: str) -> None:
        """What is masked for the shared verdict is not thereby let through."""
        judged = proof()
        text = judged.text.replace("Maeve", name)
        assert codes(replace(judged, salutation=f"Hello {name}", text=text)) != set()

    def test_an_unescaped_value_is_not_masked(self) -> None:
        """If markup in a name ever came through as markup, the page itself shows it."""
        judged = proof()
        page = judged.html.replace("Maeve", "<img src=x>")
        assert "remote_content" in codes(replace(judged, salutation="Hello <img src=x>", html=page))


def test_the_footer_is_what_the_law_demands() -> None:
    """The builder's footer holds both, so that the tests above take away something that was there."""
    assert TENANT.legal_name in FOOTER
    assert TENANT.postal_address in FOOTER


class TestWhatIsReadOfTheHtml:
    @pytest.mark.parametrize("words", [
        "a fr<b>ee</b> visit", "a fr<span style='x'>e</span>e visit", '<p title="a free visit">come back</p>',
        "<p aria-label='a free visit'>come back</p>", '<td alt="a free visit">come back</td>',
    ])  # fmt: skip
    def test_markup_hides_no_word_from_the_rules(self, words: str) -> None:
        """A word parted by a style is one word to a reader, and a title is shown."""
        made = proof()
        assert "incentive_without_offer" in codes(replace(made, html=made.html.replace("</body>", f"{words}</body>")))

    def test_the_title_of_the_page_is_copy(self) -> None:
        """Some readers show it."""
        made = proof()
        titled = made.html.replace("<body", "<title>A free visit</title><body", 1)
        assert "incentive_without_offer" in codes(replace(made, html=titled))

    def test_what_stands_apart_is_not_read_as_one_word(self) -> None:
        """Two cells are two words."""
        made = proof()
        apart = made.html.replace("</body>", "<td>care</td><td>fully</td></body>")
        assert "care fully" in replace(made, html=apart).visible
