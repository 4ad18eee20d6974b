"""The measures, in the order they are shown: a name, a title for people, and exactly what is counted.

Source: METHODS.md section 5; PLAYBOOKS.md, Measures; seeds 000, 001 and 003.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """One measure. ``unit``: what ``count`` and ``of`` count."""

    name: str
    title: str
    unit: str
    definition: str


_ALL = (
    Measure("reactivation_eligibility_review_rate", "Candidates reviewed in full", "candidates",
            "baseline: candidates whose value, inactivity reason, consent, relationship, offer eligibility and next "
            "action are all on record ÷ all inactive candidates of the last run"),
    Measure("dormant_account_outreach_path_coverage", "Accounts with a path", "accounts",
            "baseline of accounts: dormant accounts whose inactivity reason, value, owner, risk status, permission "
            "check and approved path are all on record ÷ all dormant accounts of the last run"),
    Measure("candidates_reviewed", "Candidates by decision", "candidates", "candidates of the last run, by decision"),
    Measure("accounts_reviewed", "Accounts reviewed in full", "accounts",
            "accounts with a candidate reviewed in full ÷ accounts with a candidate, last run"),
    Measure("contacts_suppressed", "Contacts suppressed", "candidates",
            "candidates the last run decided never to contact ÷ all its candidates, by decisive reason"),
    Measure("suppressed_since", "Suppressed after enrolment", "people",
            "people enrolled at any time who may not be written to any more, by reason"),
    Measure("holds", "Held back for now", "candidates",
            "candidates the last run held ÷ all its candidates, by decisive reason"),
    Measure("unresolved_issue_flags", "Unresolved issues", "candidates",
            "candidates of the last run with an open case, whatever decided ÷ all its candidates"),
    Measure("owner_decisions", "Decided by their owners", "accounts",
            "dormant accounts of the last run whose owner decided, by his last word ÷ all of them"),
    Measure("accounts_closed", "Closed by their owners", "accounts",
            "dormant accounts of the last run that their owner closed, by reason ÷ those whose owner decided"),
    Measure("issue_resolutions", "Issues resolved", "accounts",
            "dormant accounts of the last run with an issue found open by any run and none open now ÷ those with an "
            "issue found open by any run"),
    Measure("outreach_approved", "Messages approved", "messages",
            "messages an owner signed ÷ messages of closed lists; held: nobody agreed, silence included"),
    Measure("sends", "Messages sent", "messages", "messages by what the provider said of them"),
    Measure("response_rate", "Responded", "people",
            "people with a click, reply, visit, login or purchase within the response window (30 days) of a delivered "
            "message ÷ people delivered to"),
    Measure("reactivations", "Reactivated", "people",
            "people whose first purchase, booking or restart came within the reactivation window (90 days) of the "
            "first message ÷ people written to; a cancelled purchase is none"),
    Measure("discount_use", "Codes redeemed", "codes",
            "offer codes redeemed ÷ offer codes sent, by offer; cost: what was taken off, else what was signed for "
            "one"),
    Measure("unsubscribes", "Unsubscribed", "people",
            "people who unsubscribed, opted out, withdrew or objected after the first message ÷ people delivered to"),
    Measure("complaints", "Complained", "people",
            "people who complained after the first message ÷ people delivered to"),
    Measure("bounces", "Bounced", "people", "people a message came back from ÷ people written to"),
    Measure("repeat_purchases", "Bought again", "people",
            "reactivated people with another purchase within 365 days of the reactivating one ÷ people reactivated"),
    Measure("retained_revenue", "Retained revenue", "people",
            "net revenue of the 365 days from the reactivating purchase on, that purchase included, by currency"),
    Measure("re_engaged", "Left as re-engaged", "people",
            "people whose sequence ended because they came back without buying (a click, a visit and so on) ÷ people "
            "whose sequence ended"),
    Measure("customers_active", "In Customers Active", "customers",
            "customers in the segment Customers Active (active and bought, both within the window) by the last run ÷ "
            "customers who ever bought; and of those who left as re-engaged"),
    Measure("closed_reasons", "Ended, by reason", "enrolments", "enrolments that have ended, by why ÷ all that ended"),
    Measure("reactivation_rate_by_cohort", "Reactivation rate by cohort", "candidates",
            "reactivated ÷ all dormant candidates first decided about in a week, the suppressed, held and held out "
            "included"),
    Measure("incremental_reactivations", "Added, against the holdout", "people",
            "share of everybody who might be written to, enrolled or not, who bought within the reactivation window "
            "(90 days) of being assigned, less that share of the holdout (Newcombe's interval)"),
    Measure("touch_value", "Added by each touch", "enrolments",
            "by touch: share of the enrolments from which chance did not withhold it that bought within the "
            "reactivation window (90 days) of the touch being due, less that share of those from which it did "
            "(Newcombe's interval), over enrolments active then, whatever was sent; due: when it may go out at "
            "the earliest, up to a day before its day; none unless the playbook skips touches at random "
            "(skipped_share)"),
    Measure("time_to_reactivate", "Time to reactivate", "enrolments",
            "whole days from the first message to the purchase, over everybody written to, those not back yet "
            "included: median and share back by day (Kaplan–Meier)"),
    Measure("reactivated_ltv", "Lifetime value after reactivation", "people",
            "purchases of the 90 days from the reactivating purchase on, that purchase included, by currency"),
    Measure("channel_attribution", "What brought people back", "reactivations",
            "reactivating purchases by the last delivered message within 30 days before them"),
    Measure("position_attribution", "The same, by position", "reactivations",
            "reactivating purchases divided among the delivered messages within 30 days before them: 40 % each to the "
            "first and the last, the rest to those between; of two, half each"),
    Measure("linear_attribution", "The same, evenly", "reactivations", "the same, divided evenly"),
    Measure("markov_attribution", "The same, by channel removed", "reactivations",
            "share of each channel in the reactivations that would be lost without any one of them: 1 - chance to come "
            "back without the channel ÷ chance with it, divided by the sum over the channels, in a first-order Markov "
            "chain of the channels delivered by up to the purchase or the end of the reactivation window (90 days), "
            "over enrolments whose window is over; none of one channel alone, or where nobody came back"),
    Measure("incentive_efficiency", "Revenue per discount cost", "codes",
            "revenue of redeeming purchases ÷ cost of the redeemed codes, by offer and by type of offer (the step of "
            "the ladder it was sent as); none where the cost is zero; "
            "added: (revenue of everybody assigned to treatment - what the holdout says they would have spent anyway) "
            "÷ the same cost"),
)  # fmt: skip

MEASURES = {measure.name: measure for measure in _ALL}
