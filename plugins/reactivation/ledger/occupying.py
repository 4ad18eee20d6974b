"""Which of the address keys an enrolment occupies are of the person who is written to.

An account's enrolment occupies the keys of all its contacts, so that nobody of it is in two playbooks; but what
concerns a person (permission, noes, erasure, history) is about the keys of the one who is written to alone.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement

from reactivation.ledger.tables import enrolment_keys

#: In place of a channel: the key of another contact of the account.
CONTACT = "contact"
#: The keys of whoever is written to.
own_keys: ColumnElement[bool] = enrolment_keys.c.channel != CONTACT
