"""What customers will read: templates in a closed sandbox, checks on every draft, and the rows of ``drafts.parquet``.

A template may name the fields of ``fields.FIELDS`` and nothing else. A draft that fails a check is not drafted.
"""
