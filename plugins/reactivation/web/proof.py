"""What vouches for a readiness report: the manifests by digest, and whether they are what the ledger recorded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reactivation.evidence import Folder, Rewrite
from reactivation.web.subjects import Subject


@dataclass(frozen=True)
class Manifest:
    """One folder's manifest: its digest now, the digests the ledger recorded, the digest of each of its files, and what
    erasure and retention took out of them since."""

    kind: str
    id: str
    digest: str
    recorded: frozenset[str]
    files: Mapping[str, str]
    rewrites: Sequence[Rewrite] = ()

    @property
    def matches(self) -> bool:
        return self.digest in self.recorded


@dataclass(frozen=True)
class Proof:
    """The run's manifest (none for a snapshot's report) and the snapshot's, and what the run began with."""

    run: Manifest | None
    snapshot: Manifest
    inputs: Mapping[str, str]

    @property
    def manifests(self) -> list[Manifest]:
        return [one for one in (self.run, self.snapshot) if one is not None]

    @property
    def differing(self) -> list[str]:
        """Whose evidence is not what the ledger recorded."""
        return [one.kind for one in self.manifests if not one.matches]


def proof_of(subject: Subject) -> Proof:
    """The manifests as they are now. Raises ``EvidenceError`` when one cannot be read.

    Steps after the verdict add their own files, so a run's manifest may be that of any step since.
    """
    recorded = frozenset({subject.snapshot.manifest_digest})
    if subject.run is None:
        return Proof(None, _manifest(subject.snapshot_folder, recorded), {})
    inputs = subject.folder.manifest["inputs"]
    since = subject.steps if subject.step is None else [s for s in subject.steps if s.ended_at >= subject.step.ended_at]
    of_steps = frozenset(step.manifest_digest for step in since)
    began_with = recorded & {inputs.get("snapshot")}
    return Proof(_manifest(subject.folder, of_steps), _manifest(subject.snapshot_folder, began_with), inputs)


def _manifest(folder: Folder, recorded: frozenset[str]) -> Manifest:
    return Manifest(folder.kind, folder.id, folder.manifest_digest, recorded, folder.files, folder.rewrites)
