"""Templates: the sandbox, the closed list of fields, and mistakes found without rendering."""

from __future__ import annotations

from pathlib import Path

import pytest

from reactivation import paths
from reactivation.messages.fields import FIELDS, MessageError
from reactivation.messages.templates import TemplateFileError, load_template, template_problems

VALUES = {field: f"a {field}" for field in FIELDS}


def shelf(folder: Path, subject: str = "Hi", text: str = "{{ salutation }}", html: str = "{{ salutation }}") -> Path:
    """A folder of templates with one called ``note``."""
    (folder / "note").mkdir(parents=True)
    for part, words in (("subject.txt", subject), ("body.txt", text), ("body.html", html)):
        (folder / "note" / part).write_text(words, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", sorted(p.name for p in paths.TEMPLATES.iterdir() if p.is_dir()))
def test_shipped_templates_hold(name: str) -> None:
    """Every template in the house loads, without problems."""
    assert template_problems(paths.TEMPLATES, name) == {}
    assert load_template(paths.TEMPLATES, name).fields <= set(FIELDS)


class TestRender:
    def test_fields_are_inherited(self, tmp_path: Path) -> None:
        """Fields of a frame or an included footer count as the template's own."""
        folder = shelf(tmp_path, html='{% extends "_frame.html" %}{% block a %}{{ owner_name }}{% endblock %}')
        (folder / "_frame.html").write_text("{{ legal_name }}{% block a %}{% endblock %}")
        template = load_template(folder, "note")
        assert template.fields == {"salutation", "owner_name", "legal_name"}
        assert template.render(VALUES).html == "a legal_namea owner_name"

    @pytest.mark.parametrize(
        "value", ["{{ 6*7 }}", "{% raw %}", "<script>alert(1)</script>", "\"'&<>", "{{ salutation }}"]
    )
    def test_values_never_run(self, tmp_path: Path, value: str) -> None:
        """A value is text: untouched in the text part, escaped in the HTML part."""
        made = load_template(shelf(tmp_path), "note").render({"salutation": value})
        assert made.text == value
        assert "42" not in made.html
        assert not set("<>\"'") & set(made.html)

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
        folder = shelf(tmp_path, html='{% include "_footer.txt" %}')
        (folder / "_footer.txt").write_text("{{ salutation }}")
        with pytest.raises(TemplateFileError, match=r"body.html:1 includes _footer.txt, in which nothing is escaped"):
            load_template(folder, "note")

    def test_each_file_is_reported_once(self, tmp_path: Path) -> None:
        """A frame that includes itself, and is used twice, is read once."""
        folder = shelf(tmp_path, html='{% include "_a.html" %}{% include "_a.html" %}')
        (folder / "_a.html").write_text('{{ nonsense }}{% include "_a.html" %}')
        assert [len(problems) for problems in template_problems(folder, "note").values()] == [1]

    def test_a_missing_part_is_named(self, tmp_path: Path) -> None:
        """A message without a text part is no message."""
        folder = shelf(tmp_path)
        (folder / "note" / "body.txt").unlink()
        with pytest.raises(TemplateFileError, match=r"body.txt:1 cannot be read; a template has subject.txt"):
            load_template(folder, "note")

    def test_a_file_that_is_not_text_is_named(self, tmp_path: Path) -> None:
        """Latin-1 would show wrong letters to customers."""
        folder = shelf(tmp_path)
        (folder / "note" / "body.html").write_bytes(b"caf\xe9")
        with pytest.raises(TemplateFileError, match=r"body.html:1 is not UTF-8"):
            load_template(folder, "note")
