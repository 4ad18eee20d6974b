"""What Airflow's form says of a list: ids, counts, the offer and its cost, the stop rules, and the way to the page.

Every viewer of the DAG can read it, so there is no name, address or text of a message in it. What came from a source
is escaped: it must not become markup on somebody's screen.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from reactivation.approvals.lists import amount
from reactivation.ledger.lists import ListItem, ListRow
from reactivation.ledger.replies import Reply
from reactivation.ledger.sends import Send
from reactivation.ledger.stops import Stop
from reactivation.playbooks.model import Playbook

_MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&$:=^])")
_LONGEST = 600
_DIGEST_SHOWN = 12


def list_path(list_id: str) -> str:
    """Where the list's page is, from the root of the web server."""
    return f"/reactivation/lists/{list_id}"


def report_path(run_id: str) -> str:
    """Where the readiness report of a run is, from the root of the web server."""
    return f"/reactivation/readiness/runs/{run_id}"


def question_path(question_id: str) -> str:
    """Where the page of a question about no list and no run is, from the root of the web server."""
    return f"/reactivation/questions/{question_id}"


def subject(row: ListRow, items: Sequence[ListItem]) -> str:
    """One line for the form and for notices."""
    what = "an offer in " if row.kind == "offer" else ""
    count = f"{len(items)} message{'' if len(items) == 1 else 's'}"
    variant = "" if row.variant is None else f", variant {_id(row.variant)}"
    return f"Sign {what}{count}: {row.playbook}, touch {row.touch_number}, {_id(row.segment)}, {row.channel}{variant}"


def body(row: ListRow, items: Sequence[ListItem], playbook: Playbook, claims: Mapping[str, str]) -> str:
    """The Markdown above the form. ``claims``: every claim the messages make, with the digest of its words."""
    touch = playbook.touch(row.touch_number)
    individual = sum(item.individual for item in items)
    sample = min(playbook.approval.sample_size, len(items) - individual)
    facts = [
        ("Playbook", f"{_plain(playbook.title)} ({_code(row.playbook)})"),
        ("Touch", f"{row.touch_number} of {len(playbook.touches)}, {_plain(touch.pattern)}, {_plain(touch.purpose)}"),
        ("Segment", _code(row.segment)),
        *([] if row.variant is None else [("Variant", _code(row.variant))]),
        ("Channel", _code(row.channel)),
        ("Messages", f"{len(items)}, of which {individual} need a decision of their own"),
        ("Answer by", _until(row.expires_at)),
    ]
    if claims:
        made = [f"{_code(claim)}, words {_code(digest[:_DIGEST_SHOWN])}" for claim, digest in sorted(claims.items())]
        facts.insert(-1, ("Claims", "; ".join(made)))
    if row.offer_id is not None:
        place = [name for name, _ in facts].index("Messages")
        facts[place:place] = [
            ("Offer", f"{_code(row.offer_id)}: {_plain(row.offer_terms or '')}"),
            ("Costs at most", _plain(amount(row.cost, row.currency))),
        ]
    return "\n\n".join(
        [
            f"### [Read every message and find the signing code]({list_path(row.list_id)})",
            "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts)]),
            "**Do not sign when:**\n\n" + "\n".join(f"- {_plain(rule)}" for rule in playbook.approval.stop_rules),
            f"What is not signed is held. To sign, look at {sample} or more messages of the group and at each "
            "individual one you agree to, type the code from the end of the page, and set every review point to ok.",
            "**Items:** " + ", ".join(_line(item) for item in items),
        ]
    )  # fmt: skip


def waiver_subject(playbook: str, conditions: Sequence[str]) -> str:
    """One line for the form and for notices."""
    return f"Let a run of {_id(playbook)} go on although: {', '.join(map(_id, conditions))}"


def waiver_body(run_id: str, playbook: str, conditions: Mapping[str, str], expires_at: datetime) -> str:
    """The Markdown above the form. ``conditions``: what was found, by condition."""
    facts = [("Playbook", _code(playbook)), ("Run", _code(run_id)), ("Answer by", _until(expires_at))]
    return "\n\n".join(
        [
            f"### [Read the report and find the signing code]({report_path(run_id)})",
            "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts)]),
            "**What stops the run:**\n\n"
            + "\n".join(f"- {_code(one)}: {_plain(found)}" for one, found in conditions.items()),
            "A waiver lets this one run go on. It changes no gate: whoever must not be written to is still not written "
            "to. To waive, type the code from the end of the report, choose a reason and for how long. No answer "
            "waives nothing.",
        ]
    )  # fmt: skip


#: What signing a setting means, in one sentence.
SETTINGS: Mapping[str, str] = {
    "flag_only_email": "A bare consent flag of the CRM, with no record behind it, is accepted as consent to e-mail.",
    "opt_out_email": "E-mail goes to customers on record under an opt-out regime, who said neither yes nor no.",
    "live_email": "Approved e-mails really go out, through the configured provider, as this sender.",
    "live_sms": "Approved text messages really go out, through the configured provider, from this number.",
}


def setting_subject(name: str) -> str:
    """One line for the form and for notices."""
    return f"Sign a setting: {_id(name)}"


def setting_body(question_id: str, name: str, value: Mapping[str, Any], expires_at: datetime) -> str:
    """The Markdown above the form. ``value``: what is signed: a brand and terms by regime, or who sends from where."""
    if "terms" in value:
        countries = sorted({country for terms in value["terms"].values() for country in terms["countries"]})
        facts = [("Brand", _code(value["brand"])), ("Countries", _plain(", ".join(countries) or "none"))]
        means = (
            "The signature stands in the evidence of every decision made by it, and is of these terms only: whoever "
            "changes them has to ask again. A no of the customer still beats it."
        )
    else:
        facts = [
            ("Environment", _code(value["environment"])), ("Ledger", _code(str(value["ledger_id"]))),
            ("Sender", _plain(value["sender"])),
        ]  # fmt: skip
        means = (
            "Until it is signed, messages go into the outbox and reach nobody. The signature is of exactly this "
            "environment, ledger and sender; every message still needs its own approval."
        )
    facts = [("Setting", _code(name)), *facts, ("Answer by", _until(expires_at))]
    return "\n\n".join(
        [
            f"### [Read what it means and find the signing code]({question_path(question_id)})",
            "\n".join(["| | |", "|---|---|", *(f"| {name_} | {shown} |" for name_, shown in facts)]),
            f"**{_plain(SETTINGS[name])}**",
            f"{means} To sign, type the code from the end of the page. No answer signs nothing.",
        ]
    )  # fmt: skip


def stop_subject(scope: str, reason: str) -> str:
    """One line for the form and for notices."""
    return f"Let messages go on that are stopped: {_id(scope)}, because of {_id(reason)}"


def stop_body(question_id: str, stop: Stop, expires_at: datetime) -> str:
    """The Markdown above the form."""
    facts = [
        ("Stopped", _code(stop.scope)),
        ("Because of", _code(stop.reason)),
        ("Since", _until(stop.since)),
        ("By", _code(stop.actor)),
        ("Answer by", _until(expires_at)),
    ]
    return "\n\n".join(
        [
            f"### [See what came back and find the signing code]({question_path(question_id)})",
            "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts)]),
            "To resume, type the code from the end of the page and choose a reason. What is past its window by then is "
            "not sent. No answer leaves the stop as it is.",
        ]
    )  # fmt: skip


def send_subject(send: Send) -> str:
    """One line for the form and for notices."""
    return f"Was it sent? A call of {_id(send.provider)} whose outcome nobody knows"


def send_body(question_id: str, send: Send, expires_at: datetime) -> str:
    """The Markdown above the form."""
    facts = [
        ("Send", _code(send.send_id)),
        ("Provider", _code(send.provider)),
        ("Channel", _code(send.channel)),
        ("Called", _until(send.called_at or send.intended_at)),
        ("Answer by", _until(expires_at)),
    ]
    return "\n\n".join(
        [
            f"### [See what is known of it and find the signing code]({question_path(question_id)})",
            "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts)]),
            "The provider was called and did not say what became of it. Look it up in the provider's own console by "
            "the id of the send and the time. *sent* closes it; after *not_sent* the message may go out again, as long "
            "as its window is open. No answer leaves it as it is: it is never repeated by itself.",
        ]
    )  # fmt: skip


def reply_subject(reply: Reply) -> str:
    """One line for the form and for notices."""
    return f"What does a reply by {_id(reply.channel)} say? Nothing is sent to its writer until somebody has read it"


def reply_body(question_id: str, reply: Reply, expires_at: datetime) -> str:
    """The Markdown above the form; the words themselves are on the page alone."""
    facts = [
        ("Reply", _code(reply.reply_id)),
        ("Customer", _code(reply.customer_id or "unknown")),
        ("Channel", _code(reply.channel)),
        ("Said", _until(reply.occurred_at)),
        ("Answer by", _until(expires_at)),
    ]
    return "\n\n".join(
        [
            f"### [Read the reply and find the signing code]({question_path(question_id)})",
            "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts)]),
            "Nobody recognised its words, so nothing is sent to that person. *opt_out* and *complaint* keep it so "
            "for ever, on every channel of the brand; *interest* and *other* end the hold and permit nothing. When in "
            "doubt it is an opt-out. No answer leaves the hold as it is.",
        ]
    )  # fmt: skip


def account_subject(account_id: str) -> str:
    """One line for the form and for notices."""
    return f"Decide about an account that went quiet: {_id(account_id)}"


def account_body(question_id: str, account_id: str, playbook: str, expires_at: datetime) -> str:
    """The Markdown above the form; what is known of the account is on the page alone."""
    facts = [("Account", _code(account_id)), ("Playbook", _code(playbook)), ("Answer by", _until(expires_at))]
    return "\n\n".join(
        [
            f"### [Read the review brief and find the signing code]({question_path(question_id)})",
            "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts)]),
            "Nothing is written to this account before you decide: *approve* and *resolve_issue* let a message be "
            "drafted, which you sign then; *hold_until* wakes it up on the day; *close* keeps it closed until you "
            "decide anew; *monitor* and *no_outreach* leave it alone until somebody of it does something. No answer "
            "leaves it as it is, and asks again.",
        ]
    )  # fmt: skip


def _until(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M UTC")


def _line(item: ListItem) -> str:
    return f"{item.position} {_code(item.customer_id)}" + (" (individual)" if item.individual else "")


def _plain(text: str) -> str:
    """Text with every sign that could be markup escaped, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split())[:_LONGEST])


def _id(text: str) -> str:
    """An id on one line, without signs an id has no use for."""
    return re.sub(r"[^\w.@/:-]", "?", text)


def _code(text: str) -> str:
    return f"`{_id(text)}`"
