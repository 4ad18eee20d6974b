"""How long after what a purchase counts. Source: METHODS.md section 5; the playbook declares the others."""

from __future__ import annotations

#: A purchase is put down to the last message within so many days before it.
ATTRIBUTED_DAYS = 30
#: Reactivated lifetime value: so many days from the reactivating purchase on, that purchase included.
VALUE_DAYS = 90
#: Retained revenue: so many days from the reactivating purchase on, that purchase included.
RETAINED_DAYS = 365
