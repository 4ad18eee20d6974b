"""``docs/rules.md``, written from the rules as they are declared: ``python -m tools.rules_page``.

Values and their limits come from ``include/rules`` and its models, gates from the ladder; ``rules_words.yaml`` beside
this file says what each rule is for. A rule without words, and words without a rule, are refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from pathlib import Path
from typing import Any

import yaml
from annotated_types import Ge, Gt, Le
from pydantic import BaseModel

from reactivation import paths
from reactivation.playbooks.declared import DeclarationError, parse_declared, read_bytes
from reactivation.playbooks.words import Declared
from reactivation.policy.decisions import DROP, FAIL
from reactivation.policy.gate_rules import GateRule, GateRules, Source
from reactivation.policy.gates import LADDER
from reactivation.policy.ladder import Gate
from reactivation.policy.rules import Accepted, PermissionRules, Regime, Rules
from reactivation.policy.timing_rules import WEEKDAYS, LegalHours
from reactivation.sources.addresses import read_address_rules
from reactivation.steps.rules import read_rules

COMMAND = "python -m tools.rules_page"
PAGE = Path(__file__).parents[1] / "docs" / "rules.md"
WORDS = Path(__file__).with_name("rules_words.yaml")

_INTRO = f"""# Rules

Every rule that decides who may hear from us, when, and with which offer. For compliance reviewers, and for owners who
want to know why.

This page is written by `{COMMAND}` from `include/rules` and the gate ladder, and a test holds it to them:
do not edit it. The rules are a careful default distilled from public law, provider policies and the playbooks' source
documents (000 to 003). **They are not legal advice.** What makes a whole run "not ready" is on
[a page of its own](readiness.md).

## How a rule is changed

- A rule is a field of a file in `include/rules`. Each chapter names its file, each row its field: change it there.
- That is all: a reviewed change of the file, as of any code. No page, command or run of the product changes a rule.
- `reactivation check` refuses, by its line, a file that does not hold together or goes beyond what a field may be. It
  does not look at `addresses.yaml` and `zones.yaml`, which have no such limits.
- `rules_version` is the newest declared version and the digest of the text of all files but these two, comments
  included. It stands in every run, decision, draft and send. After a change, a run that began under the old version
  refuses its next step; begin a new run.
- Enrolments go on: what is drafted next is drafted under the rules in force. What was signed keeps its bytes, and
  before it goes out its customer is decided once more, under the rules in force at that moment.
- `addresses.yaml` and `zones.yaml` count when a snapshot is taken. Its manifest has the version and digest of the
  first; what came of the second is in the snapshot itself.
- Two things need a signature besides: e-mail to a bare consent flag (`flag_only_email`) and under the opt-out regime of
  the United States (`opt_out_email`). The tenant asks for them in `tenant.yaml`, the next run asks compliance, and the
  signature is of exactly the terms that stand here: change them, and it counts for nothing until it is given anew. Take
  the request out of the file, and it is over at once. Hours outside the window are refused, signed or not.
- What a playbook declares (windows, cool-down, lifetime enrolments, channels, touches, owners) is in its own file in
  `include/playbooks`, not here.
"""

_LADDER = """## The gate ladder

Every candidate is asked every question, and all answers are recorded. The first *no* decides. A gate that breaks or
gives no answer says no. A result is `pass`, `fail:` (a no), `review:` (a person must look at this customer by name) or
`drop:` (a channel or an offer falls away, the customer stays). The reason code is what the reasons of a decision say,
and the counts of those who are no candidates.

The ladder is code, `plugins/reactivation/policy/gates.py`; its words are in `include/rules/gates.yaml`. Changing the
words changes no decision; changing a question is a reviewed change of the code and of the words.
"""


class WordsError(DeclarationError):
    """The words of the page are refused; every problem with its line."""

    kind = "file of words"


class About(Declared):
    """One rule: what it says, and whose rule it is."""

    says: str
    whose: str = "our default"


class Chapter(Declared):
    """One rule file: what is true of all of it, the sentences it stands for, and each of its fields."""

    title: str
    intro: str
    sources: tuple[Source, ...]
    fields: dict[str, About]


class Place(Declared):
    """A jurisdiction of ``permission.yaml``."""

    name: str
    terms: str


class Words(Declared):
    """``rules_words.yaml``: the chapters in their order, and the jurisdictions."""

    chapters: dict[str, Chapter]
    places: dict[str, Place]


@dataclass(frozen=True)
class Rule:
    """One field of a rule file: its value, and how far it may be moved."""

    field: str
    value: str
    limits: str = ""


def read_words() -> Words:
    """What is said about each rule. Raises ``WordsError``."""
    return parse_declared(read_bytes(WORDS, WordsError)[0], str(WORDS), Words, WordsError)


def page() -> str:
    """The whole page."""
    rules, words = read_rules(), read_words()
    parts = [_INTRO, _LADDER, *_gates(rules.gates)]
    for name, chapter in words.chapters.items():
        parts += _chapter(name, chapter, rules)
        if name == "permission":
            parts += [_place(key, words.places[key], regime, rules.permission) for key, regime in
                      rules.permission.regimes.items()]  # fmt: skip
    return "\n".join(parts)


def reason_code(gate: Gate, result: str) -> str:
    """How a gate's result stands among the reasons of a decision, or the counts of those who are no candidates."""
    verdict, _, reason = result.partition(":")
    if f"{verdict}:" == DROP:
        return ""
    whole = f"{verdict}:" != FAIL or ":" in reason or gate.on_no == "not_a_candidate"
    return reason if whole else f"{gate.prefix}:{reason}"


def _gates(rules: GateRules) -> Iterator[str]:
    yield _table(
        ("gate", "question", "on no"),
        [(f"`{name}`", rule.question, f"`{rule.on_no}`: {rule.leads_to}") for name, rule in rules.gates.items()],
    )
    for number, (gate, rule) in enumerate(zip(LADDER, rules.gates.values(), strict=True), start=1):
        yield f"### {number}. `{gate.name}`\n\n{rule.question}\n\n{_quoted(rule.sources)}\n\n{_results(gate, rule)}"
    anyway = [(f"`{result}`", meaning) for result, meaning in rules.any_gate.items()]
    yield "### Any gate\n\n" + _table(("result", "what it means"), anyway)
    beside = [
        (f"`{code}`", f"{rule.meaning}; {' '.join(map(str, rule.sources))}") for code, rule in rules.reviews.items()
    ]
    yield "### Beside the gates\n\nWhat asks for a person although every gate passed.\n\n" + _table(
        ("reason code", "what it means"), beside
    )
    ways = [
        (f"`path:{code}`", f"{rule.meaning}; {' '.join(map(str, rule.sources))}") for code, rule in rules.paths.items()
    ]
    yield "### The paths of accounts\n\nWhere an account goes although no gate says no.\n\n" + _table(
        ("reason code", "what it means"), ways
    )


def _results(gate: Gate, rule: GateRule) -> str:
    rows = []
    for result, meaning in rule.results.items():
        code = reason_code(gate, result)
        rows.append((f"`{result}`", f"`{code}`" if code else "", meaning))
    return _table(("result", "reason code", "what it means"), rows)


def _chapter(name: str, chapter: Chapter, rules: Rules) -> Iterator[str]:
    version, declared = _declared(name, rules)
    silent = {rule.field for rule in declared} ^ set(chapter.fields)
    if silent:
        raise ValueError(f"{name}.yaml and {WORDS.name} do not speak of the same rules: {', '.join(sorted(silent))}")
    yield f"## {chapter.title}\n\nFile: `include/rules/{name}.yaml`, version {version}. {chapter.intro}\n"
    if chapter.sources:
        yield _quoted(chapter.sources) + "\n"
    yield _table(
        ("field", "default", "may be", "what it says", "whose rule"),
        [
            (
                f"`{rule.field}`",
                rule.value,
                rule.limits,
                chapter.fields[rule.field].says,
                chapter.fields[rule.field].whose,
            )
            for rule in declared
        ],
    )


def _declared(name: str, rules: Rules) -> tuple[str, list[Rule]]:
    """The version of a rule file and its rules, but for the tables that have a form of their own."""
    if name == "addresses":
        known = read_address_rules()
        lists = {"role_accounts": known.role_accounts, "disposable_domains": known.disposable_domains}
        return known.version.partition("+")[0], [Rule(field, f"{len(all_)} listed") for field, all_ in lists.items()]
    if name == "zones":
        tables = yaml.safe_load((paths.RULES / "zones.yaml").read_text(encoding="utf-8"))
        return tables["version"], [Rule("countries", "; ".join(_zones(tables["countries"])))]
    model: Any = getattr(rules, name)
    return model.version, list(_fields(model))


def _fields(model: BaseModel, inside: str = "") -> Iterator[Rule]:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _fields(value, f"{inside}{name}.")
        elif name not in ("version", "evidence", "regimes"):
            yield Rule(f"{inside}{name}", _shown(value), _limits(field.metadata))


def _zones(countries: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Iterator[str]:
    for country, regions in countries.items():
        divided = sum(len(region["zones"]) > 1 for region in regions.values())
        yield f"{country}: {len(regions)} ({divided})"


def _place(key: str, place: Place, regime: Regime, rules: PermissionRules) -> str:
    rows = [
        (channel, f"`{basis}`", *_terms(accepted), _codes(rules.evidence[basis]))
        for channel, bases in (("e-mail", regime.email), ("SMS", regime.sms))
        for basis, accepted in bases.items()
    ]
    columns = ("channel", "basis", "holds", "counted from", "conditions", "must be on record")
    countries = f"Field `regimes.{key}`; countries {', '.join(regime.countries)}."
    return f"### {place.name}\n\n{countries} {place.terms}\n\n{_table(columns, rows)}"


def _terms(accepted: Accepted) -> tuple[str, str, str]:
    since = {"last_evidence": "the last evidence (given or confirmed)", "event_date": "the purchase or inquiry"}
    holds = "no end" if accepted.months is None else f"{accepted.months} months"
    conditions = ["`confirmed`"] if accepted.confirmed else []
    conditions += [_codes(accepted.conditions)] if accepted.conditions else []
    return holds, "" if accepted.months is None else since[accepted.counted_from], ", ".join(conditions)


def _shown(value: Any) -> str:
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, Mapping):
        return "; ".join(f"`{key}`: {_shown(inner)}" for key, inner in value.items())
    if isinstance(value, LegalHours):
        hours = "no hour" if value.opens is None else f"{_shown(value.opens)} to {_shown(value.closes)}"
        days = "" if value.weekdays == WEEKDAYS else f" on {', '.join(value.weekdays)}"
        return f"{', '.join(value.places)}: {hours}{days}"
    if isinstance(value, tuple):
        return ("; " if any(isinstance(one, LegalHours) for one in value) else ", ").join(map(_shown, value))
    return str(value)


def _limits(metadata: Iterable[Any]) -> str:
    said = []
    for one in metadata:
        match one:
            case Ge(ge=least):
                said.append(f"at least {least}")
            case Gt(gt=least):
                said.append(f"more than {least}")
            case Le(le=most):
                said.append(f"at most {most}")
    return ", ".join(said)


def _codes(codes: Iterable[str]) -> str:
    return ", ".join(f"`{code}`" for code in codes)


def _quoted(sources: Iterable[Source]) -> str:
    return "\n".join(f"> {source}  " for source in sources).rstrip()


def _table(columns: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = [*columns]
    lines = [head, ["---"] * len(head), *([*row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
