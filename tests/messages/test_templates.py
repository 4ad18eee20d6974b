"""Templates: the sandbox, the closed list of fields, and mistakes found without rendering."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from reactivation import paths
from reactivation.messages.fields import FIELDS, MessageError
from reactivation.messages.templates import TemplateFileError, load_template, template_problems

VALUES = {field: f"a {field}" for field in FIELDS}


def page(words: str = "{{ salutation }}") -> str:
    """A letter of one paragraph, in MJML."""
    column = f"<mj-column><mj-text>{words}</mj-text></mj-column>"
    return f"<mjml><mj-body><mj-section>{column}</mj-section></mj-body></mjml>"


def shelf(folder: Path, subject: str = "Hi", text: str = "{{ salutation }}", mjml: str = page()) -> Path:
    """A folder of templates with one called ``note``."""
    (folder / "note").mkdir(parents=True)
    for part, words in (("subject.txt", subject), ("body.txt", text), ("body.mjml", mjml)):
        (folder / "note" / part).write_text(words, encoding="utf-8")
    return folder


def refusal(folder: Path) -> str:
    """What loading the note says is wrong."""
    with pytest.raises(TemplateFileError) as refused:
        load_template(folder, "note")
    return str(refused.value)


@pytest.mark.parametrize("name", sorted(p.name for p in paths.TEMPLATES.iterdir() if p.is_dir()))
def test_shipped_templates_hold(name: str) -> None:
    """Every template in the house loads, without problems."""
    assert template_problems(paths.TEMPLATES, name) == {}
    assert load_template(paths.TEMPLATES, name).fields <= set(FIELDS)


class TestRender:
    def test_fields_are_inherited(self, tmp_path: Path) -> None:
        """Fields of a frame or an included footer count as the template's own."""
        folder = shelf(tmp_path, mjml=page('</mj-text><mj-include path="_foot.mjml" /><mj-text>{{ owner_name }}'))
        (folder / "_foot.mjml").write_text("<mj-text>{{ legal_name }}</mj-text>")
        template = load_template(folder, "note")
        assert template.fields == {"salutation", "owner_name", "legal_name"}
        html = template.render(VALUES).html or ""
        assert html.index("a legal_name") < html.index("a owner_name")

    @pytest.mark.parametrize(
        "value", ["{{ 6*7 }}", "{% raw %}", "<script>alert(1)</script>", "\"'&<>", "{{ salutation }}"]
    )
    def test_values_never_run(self, tmp_path: Path, value: str) -> None:
        """A value is text: untouched in the text part, escaped in the HTML part."""
        made = load_template(shelf(tmp_path), "note").render({"salutation": value})
        assert made.text == value
        [shown] = re.findall(r"<div style=\"font[^>]*>(.*?)</div>", made.html or "", re.DOTALL)
        assert "42" not in shown
        assert not set("<>\"'") & set(shown)

    @pytest.mark.parametrize("values", [{}, {"salutation": ""}, {"salutation": " \t"}])
    def test_a_missing_or_blank_value_is_an_error(self, tmp_path: Path, values: dict[str, str]) -> None:
        """Never a blank where a word should be."""
        with pytest.raises(MessageError) as refused:
            load_template(shelf(tmp_path), "note").render(values)
        assert refused.value.code == "personalisation_missing"

    def test_only_listed_fields_are_taken(self, tmp_path: Path) -> None:
        """Health, payment or score data cannot even be handed over."""
        with pytest.raises(MessageError) as refused:
            load_template(shelf(tmp_path), "note").render({**VALUES, "churn_score": "0.93"})
        assert refused.value.code == "field_not_allowed"

    @pytest.mark.parametrize("attack", [
        "{{ salutation.__class__.__mro__ }}", "{{ ''.__class__ }}", "{{ salutation.format.__globals__ }}",
        "{{ '{0.__class__.__mro__}'.format(salutation) }}", "{{ self.__init__ }}",
    ])  # fmt: skip
    def test_the_sandbox_gives_no_way_out(self, tmp_path: Path, attack: str) -> None:
        """Even a template somebody smuggled in reaches nothing of the process."""
        with pytest.raises(MessageError):
            load_template(shelf(tmp_path, text=attack), "note").render(VALUES)


class TestProblems:
    @pytest.mark.parametrize(("text", "line", "message"), [
        ("Hi\n\n{{ salutaton }}", 3, "salutaton: is no personalisation field; did you mean salutation?"),
        ("{{ last_complaint }}", 1, "last_complaint: is no personalisation field"),
        ("a\n{% if x %}", 2, "is no template"),
        ("a\n\n{{ salutation", 3, "is no template"),
        ("{{ salutation|safe }}", 1, "switches escaping off"),
        ("{% autoescape false %}{{ salutation }}{% endautoescape %}", 1, "switches escaping off"),
        ("{{ range(9) }}", 1, "range: is no personalisation field"),
        ('{% include "_gone.txt" %}', 1, "cannot be read"),
        ("{% include salutation %}", 1, "whose name is computed"),
        ("{{ salutation|nofilter }}", 1, "is no template"),
    ])  # fmt: skip
    def test_are_found_with_file_and_line(self, tmp_path: Path, text: str, line: int, message: str) -> None:
        """An undefined variable, broken syntax and switched-off escaping are found without any customer."""
        with pytest.raises(TemplateFileError) as refused:
            load_template(shelf(tmp_path, text=text), "note")
        assert message in str(refused.value)
        assert f"body.txt:{line} " in str(refused.value) or f"_gone.txt:{line} " in str(refused.value)

    def test_a_page_includes_only_pages(self, tmp_path: Path) -> None:
        """In a text file nothing is escaped, so its words may not stand in a page."""
        folder = shelf(tmp_path, mjml=page('<mj-text>{% include "_footer.txt" %}</mj-text>'))
        (folder / "_footer.txt").write_text("{{ salutation }}")
        assert "body.mjml:1 includes by Jinja, which is too late for a page; use mj-include" in refusal(folder)

    def test_each_file_is_reported_once(self, tmp_path: Path) -> None:
        """A footer that is used twice is read once."""
        folder = shelf(tmp_path, text='{% include "_a.txt" %}{% include "_a.txt" %}')
        (folder / "_a.txt").write_text("{{ nonsense }}")
        assert [len(problems) for problems in template_problems(folder, "note").values()] == [1]

    @pytest.mark.parametrize(("file", "words"), [
        ("_a.txt", '{% include "_a.txt" %}'), ("_a.mjml", '<mj-include path="_a.mjml" />'),
    ])  # fmt: skip
    def test_files_that_include_each_other_are_refused(self, tmp_path: Path, file: str, words: str) -> None:
        """It would never end."""
        made = shelf(
            tmp_path, **({"text": words} if file.endswith("txt") else {"mjml": page(f"</mj-text>{words}<mj-text>")})
        )
        (made / file).write_text(words)
        assert f"{file}:1 includes {file}, which includes it again" in refusal(made)

    def test_a_missing_part_is_named(self, tmp_path: Path) -> None:
        """A message without a text part is no message."""
        folder = shelf(tmp_path)
        (folder / "note" / "body.txt").unlink()
        with pytest.raises(TemplateFileError, match=r"body.txt:1 cannot be read; a template has subject.txt"):
            load_template(folder, "note")

    def test_a_file_that_is_not_text_is_named(self, tmp_path: Path) -> None:
        """Latin-1 would show wrong letters to customers."""
        folder = shelf(tmp_path)
        (folder / "note" / "body.mjml").write_bytes(b"caf\xe9")
        assert "body.mjml:1 is not UTF-8" in refusal(folder)


class TestMjml:
    @pytest.mark.parametrize(("mjml", "line", "message"), [
        (page("a\n</mj-txt>"), 2, "is not well-formed: mismatched tag"),
        (page("a\n<br> b"), 2, "is not well-formed"),
        (page("a &nbsp; b"), 1, "is not well-formed: undefined entity"),
        (page("a < b"), 1, "is not well-formed"),
        (page("</mj-text>\n<mj-txt></mj-txt><mj-text>"), 2, "mj-txt: is no element here; did you mean mj-text?"),
        (page("</mj-text>\n<mj-image src='x' /><mj-text>"), 2, "mj-image: is no element here"),
        (page("</mj-text>\n<mj-text colour='red'>"), 2, "colour: is no attribute of mj-text; did you mean color?"),
        (page().replace("<mj-column>", "\n{{ salutation }}<mj-column>"), 2, "has words in mj-section"),
        (page().replace("<mj-column>", "\n{% if a %}<mj-column>"), 2, "is no template"),
        ("<mjml><mj-body background-url='x'></mj-body></mjml>", 1, "background-url: is no attribute of mj-body"),
        (page("</mj-text>\n<mj-include path='_gone.mjml' /><mj-text>"), 1, "cannot be read"),
        (page("</mj-text>\n<mj-include path='../../etc/passwd' /><mj-text>"), 2, "expected the name of a .mjml file"),
        (page("\n{{ salutaton }}"), 2, "salutaton: is no personalisation field; did you mean salutation?"),
        (page("\n{{ salutation|safe }}"), 2, "switches escaping off"),
        ("<!DOCTYPE mjml [<!ENTITY a 'b'>]>" + page("&a;"), 1, "is not well-formed"),
    ])  # fmt: skip
    def test_mistakes_are_found_with_file_and_line(self, tmp_path: Path, mjml: str, line: int, message: str) -> None:
        """The compiler would take most of them for text and say nothing."""
        said = refusal(shelf(tmp_path, mjml=mjml))
        assert message in said
        assert f".mjml:{line} " in said

    @pytest.mark.parametrize("mjml", [
        page("</mj-text><mj-text mj-class='{{ salutation }}'>"),
        page().replace("<mj-section>", "<mj-section css-class='{% if offer_code is defined %}a{% endif %}'>"),
    ])  # fmt: skip
    def test_what_compiling_would_lose_or_repeat_is_found(self, tmp_path: Path, mjml: str) -> None:
        """A field that would be missing in the letter, and a condition that would stand in it twice."""
        assert "compil" in refusal(shelf(tmp_path, mjml=mjml))

    def test_conditions_stand_in_raw_parts(self, tmp_path: Path) -> None:
        """Whole rows come and go with a field."""
        raw = "</mj-text><mj-raw>{% if offer_code is defined %}</mj-raw><mj-text>{{ offer_code }}</mj-text>"
        template = load_template(shelf(tmp_path, mjml=page(f"{raw}<mj-raw>{{% endif %}}</mj-raw><mj-text>")), "note")
        assert "K7QD" in (template.render({"salutation": "Hello", "offer_code": "K7QD"}).html or "")
        assert "K7QD" not in (template.render({"salutation": "Hello"}).html or "")

    @pytest.mark.parametrize("name", sorted(p.name for p in paths.TEMPLATES.iterdir() if p.is_dir()))
    def test_no_font_and_no_picture_is_fetched(self, name: str) -> None:
        """Opening a letter tells nobody anything, not even a server of fonts."""
        html = load_template(paths.TEMPLATES, name).render(VALUES).html or ""
        for mark in ("@import", "<link", "<img", "url(", "http://"):
            assert mark not in html.replace("http://www.w3.org/1999/xhtml", "")


class TestTextMessages:
    def test_a_folder_may_have_a_text_message_alone(self, tmp_path: Path) -> None:
        """What stands on several lines in the file is one line on the wire."""
        (tmp_path / "note").mkdir()
        (tmp_path / "note" / "sms.txt").write_text("{{ display_name }}:\n  hello\n")
        template = load_template(tmp_path, "note")
        made = template.render({"display_name": "Harbour & Finch"}, "sms")
        assert (made.text, made.subject, made.html) == ("Harbour & Finch: hello", None, None)
        with pytest.raises(MessageError) as refused:
            template.render({"display_name": "Harbour & Finch"}, "email")
        assert refused.value.code == "no_template"

    def test_half_an_email_is_none(self, tmp_path: Path) -> None:
        """A text message beside it does not make up for a missing part."""
        folder = shelf(tmp_path)
        (folder / "note" / "sms.txt").write_text("{{ display_name }}: hello")
        (folder / "note" / "subject.txt").unlink()
        assert "subject.txt:1 cannot be read" in refusal(folder)


class TestOutside:
    """A template is written by people who see no secrets, so nothing outside its folder is read into it."""

    @pytest.fixture
    def secret(self, tmp_path: Path) -> Path:
        file = tmp_path / "secret.txt"
        file.write_text("a secret")
        return file

    @pytest.mark.parametrize("named", ["{secret}", "../secret.txt", "note/../../secret.txt", "/proc/self/environ"])
    def test_no_path_leads_out(self, tmp_path: Path, secret: Path, named: str) -> None:
        folder = shelf(tmp_path / "shelf", text='{% include "' + named.format(secret=secret) + '" %}')
        assert "a secret" not in refusal(folder)

    def test_no_link_leads_out(self, tmp_path: Path, secret: Path) -> None:
        folder = shelf(tmp_path / "shelf", text='{% include "_foot.txt" %}')
        (folder / "_foot.txt").symlink_to(secret)
        assert "a secret" not in refusal(folder)


class TestKept:
    """A template is compiled again when a file of it is new, and only then."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = shelf(tmp_path, text='{{ salutation }}{% include "_foot.txt" %}',
                       mjml=page('</mj-text><mj-include path="_foot.mjml" /><mj-text>{{ salutation }}'))  # fmt: skip
        (folder / "_foot.mjml").write_text("<mj-text>A foot</mj-text>")
        (folder / "_foot.txt").write_text("A foot")
        return folder

    def test_the_same_files_are_compiled_once(self, folder: Path) -> None:
        assert load_template(folder, "note") is load_template(folder, "note")

    @pytest.mark.parametrize(("file", "words"), [
        ("note/subject.txt", "Ho"), ("note/body.txt", "{{ salutation }}, ho"), ("note/body.mjml", page("ho")),
        ("_foot.mjml", "<mj-text>ho</mj-text>"), ("_foot.txt", "ho"),
    ])  # fmt: skip
    def test_an_edit_is_seen(self, folder: Path, file: str, words: str) -> None:
        """In the template's own files and in those it includes."""
        before = load_template(folder, "note").render(VALUES)
        (folder / file).write_text(words)
        after = load_template(folder, "note").render(VALUES)
        assert after != before
        assert "ho" in f"{after.subject} {after.text} {after.html}".casefold()

    def test_a_new_text_message_is_seen(self, folder: Path) -> None:
        load_template(folder, "note")
        (folder / "note" / "sms.txt").write_text("{{ display_name }}: hello")
        assert set(load_template(folder, "note").parts) == {"email", "sms"}

    @pytest.mark.parametrize("file", ["note/body.txt", "_foot.txt", "_foot.mjml"])
    def test_a_file_that_went_is_missed(self, folder: Path, file: str) -> None:
        load_template(folder, "note")
        (folder / file).unlink()
        assert "cannot be read" in refusal(folder)

    def test_a_mistake_made_since_is_refused(self, folder: Path) -> None:
        load_template(folder, "note")
        (folder / "note" / "body.txt").write_text("{{ churn_score }}")
        assert "churn_score" in refusal(folder)
