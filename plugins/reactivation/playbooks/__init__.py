"""What marketing declares: playbooks, owners and the tenant, each one YAML file read into a frozen model.

Parsing is pure; ``load_*`` are the thin functions that read files. A wrong file is refused with the line, the field,
what was found and what was expected, all problems at once.
"""
