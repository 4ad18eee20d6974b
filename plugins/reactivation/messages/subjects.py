"""The subject of an e-mail where a playbook gives one instead of the template's: one line, under the same rules."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from jinja2 import TemplateSyntaxError, meta

from reactivation.messages.templates import MessageTemplate, sandbox, tree_problems

_CHANNEL = "email"


def subject_problems(subject: str) -> Iterator[str]:
    """Everything wrong with a subject, found without rendering."""
    try:
        tree = sandbox().parse(subject)
    except TemplateSyntaxError as error:
        yield f"is no template: {error.message}"
        return
    for problem in tree_problems(tree):
        yield f"{problem.field} {problem.message}".strip()
    if list(meta.find_referenced_templates(tree)):
        yield "includes another file; write it out"


def with_subject(template: MessageTemplate, subject: str) -> MessageTemplate:
    """The template with this subject in its e-mail. Raises ``MessageError`` when it is rendered, like any other."""
    _, *rest = template.parts[_CHANNEL]
    made = sandbox()
    named = frozenset(meta.find_undeclared_variables(made.parse(subject)))
    return replace(
        template,
        parts={**template.parts, _CHANNEL: (made.from_string(subject), *rest)},
        fields_of={**template.fields_of, _CHANNEL: template.fields_of[_CHANNEL] | named},
    )
