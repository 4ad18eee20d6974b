"""What can go wrong in a way that a person can mend, as opposed to a defect of ours."""

from __future__ import annotations

from reactivation.contract.addresses import AddressKeyError
from reactivation.evidence import EvidenceError
from reactivation.ledger.engine import LedgerError
from reactivation.ledger.runs import StepError
from reactivation.playbooks.declared import DeclarationError
from reactivation.sample import SampleError
from reactivation.sources import SourceError
from reactivation.steps.settings import ConfigurationError

#: Each message names the thing, the place and the fix; the command line shows it and exits with 2.
EXPECTED_ERRORS = (
    AddressKeyError, ConfigurationError, DeclarationError, EvidenceError, LedgerError, SampleError, SourceError,
    StepError,
)  # fmt: skip
