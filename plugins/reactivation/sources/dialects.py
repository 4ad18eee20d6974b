"""DuckDB's SQL in the words of another database.

sqlglot translates what is common. What reads a raw value differs too much: these are the named functions below, put in
for each call by name, ``{0}`` for its argument. In DuckDB the same readers are the macros of ``include/sql``. A
database that is not listed is read row by row.
"""

from __future__ import annotations

from collections.abc import Mapping

#: What ``read_text`` takes off a text's ends: blanks, line ends, and marks nobody sees.
_BLANKS = (32, 9, 10, 13, 160, 8203, 8239, 65279)
#: An amount that is read without judgement is below a thousand million: sums stay exact, and fractions whole.
_LARGEST = "1000000000"

_WITHIN_MONEY = (
    "CASE WHEN {0} > 999999999999999999 THEN 999999999999999999 "
    "WHEN {0} < -999999999999999999 THEN -999999999999999999 ELSE CAST({0} AS BIGINT) END"
)

_PG_TEXT = 'CAST({0} AS TEXT) COLLATE "C"'
_PG_BLANKS = " || ".join(f"chr({code})" for code in _BLANKS)
_PG_READ = (
    f"NULLIF(btrim(CASE WHEN octet_length(CAST({{0}} AS TEXT)) = length(CAST({{0}} AS TEXT)) THEN CAST({{0}} AS TEXT) "
    f"ELSE normalize(CAST({{0}} AS TEXT), NFC) END, {_PG_BLANKS}), '') COLLATE \"C\""
)
_PG_NUMBER = "CAST({0} AS NUMERIC)"
_LITE_TEXT = "CAST({0} AS TEXT) COLLATE BINARY"
_LITE_READ = f"NULLIF(trim(CAST({{0}} AS TEXT), char({', '.join(map(str, _BLANKS))})), '') COLLATE BINARY"
#: Letters from U+0300 on may be written in two ways, which SQLite cannot tell; blobs and zero bytes are no text.
_LITE_UNSURE = (
    "(typeof({0}) = 'blob' OR instr(CAST({0} AS TEXT), char(0)) > 0 "
    "OR CAST({0} AS TEXT) GLOB '*[^' || char(1) || '-' || char(767) || ']*')"
)
_LITE_SECONDS = "replace(substr(CAST({0} AS TEXT), 1, 19), 'T', ' ')"
_LITE_FRACTION = "substr(CAST({0} AS TEXT), 20)"
_LITE_MICROS = ".[0-9][0-9][0-9][0-9][0-9][0-9]"
_LITE_PLAIN_NUMBER = (
    "({0} NOT GLOB '*[^0-9.]*' AND {0} GLOB '[0-9]*' AND {0} NOT LIKE '%.%.%' AND length({0}) <= 14 "
    "AND (instr({0}, '.') = 0 OR length({0}) - instr({0}, '.') <= 4))"
)
_LITE_DIGITS = "{0}"
for _mark in " -().+/":
    _LITE_DIGITS = f"replace({_LITE_DIGITS}, '{_mark}', '')"

#: Dialect (SQLAlchemy's name) to function to SQL.
#: text: how a value crosses · exact: a text compared by its bytes · read: as ``read_text`` leaves it · unsure: it may
#: be equal to another spelling of itself · is_plain: reading leaves it as it is · is_id, is_currency, is_instant,
#: is_amount, is_whole: it is read without judgement · micros, ten_thousandths: how the summaries want it ·
#: within_money: as much of a sum as an amount can hold · local_of, ending_of: what ``sources/chosen.py`` compares
#: addresses by; is_odd_email, is_odd_phone: these cannot tell · listed: a JSON array as rows.
FUNCTIONS: Mapping[str, Mapping[str, str]] = {
    "postgresql": {
        "text": "CAST({0} AS TEXT)",
        "exact": _PG_TEXT,
        "read": _PG_READ,
        "unsure": "false",
        "is_plain": f"({_PG_TEXT} = {_PG_READ})",
        "is_id": r"""(length({0}) <= 64 AND {0} !~ '[\x01-\x1f\x7f@{{}}\[\]"]')""",
        "is_currency": """(upper({0}) ~ '^[A-Z]{{3}}$')""",
        "is_instant": "(isfinite({0}) AND {0} BETWEEN DATE '1900-01-01' AND DATE '2200-01-01')",
        "is_amount": f"(round({_PG_NUMBER}, 4) = {_PG_NUMBER} AND abs({_PG_NUMBER}) < {_LARGEST})",
        "is_whole": f"(trunc({_PG_NUMBER}) = {_PG_NUMBER} AND abs({_PG_NUMBER}) < {_LARGEST})",
        "micros": "CASE WHEN isfinite({0}) THEN CAST(round(extract(epoch FROM {0}) * 1000000) AS BIGINT) END",
        "ten_thousandths": (
            f"CASE WHEN abs({_PG_NUMBER}) < {_LARGEST} THEN CAST(round({_PG_NUMBER} * 10000) AS BIGINT) END"
        ),
        "within_money": _WITHIN_MONEY,
        "day_of": "(({0} + 2208988800000000) / 86400000000)",
        "month_of": "CAST(extract(month FROM DATE '1900-01-01' + CAST({0} AS INTEGER)) AS BIGINT)",
        "local_of": r"lower(substring({0} FROM '([^\s<:]*)@'))",
        "is_odd_email": "(octet_length({0}) <> length({0}))",
        "ending_of": "right(regexp_replace({0}, '[^0-9]', '', 'g'), 6)",
        "is_odd_phone": "(octet_length({0}) <> length({0}))",
        "listed": "(SELECT jsonb_array_elements_text(CAST({0} AS JSONB)) AS listed)",
    },
    "sqlite": {
        "text": r"CASE typeof({0}) WHEN 'blob' THEN '\x' || hex({0}) ELSE CAST({0} AS TEXT) END",
        "exact": _LITE_TEXT,
        "read": _LITE_READ,
        "unsure": _LITE_UNSURE,
        "is_plain": f"({_LITE_TEXT} = {_LITE_READ} AND NOT {_LITE_UNSURE})",
        "is_id": """(length({0}) <= 64 AND {0} NOT GLOB '*[]@{{}}"[' || char(1) || '-' || char(31) || ']*')""",
        "is_currency": "(upper({0}) GLOB '[A-Z][A-Z][A-Z]')",
        "is_instant": (
            "(typeof({0}) = 'text' AND {0} BETWEEN '1900-01-01' AND '2199-12-31T99' "
            f"AND substr(strftime('%Y-%m-%d %H:%M:%S', {_LITE_SECONDS}), 1, length({_LITE_SECONDS})) = {_LITE_SECONDS} "
            f"AND length({_LITE_SECONDS}) IN (10, 19) AND ({_LITE_FRACTION} IN ('', 'Z', '+00', '+00:00') "
            f"OR {_LITE_FRACTION} GLOB '{_LITE_MICROS}' OR {_LITE_FRACTION} GLOB '{_LITE_MICROS}Z' "
            f"OR {_LITE_FRACTION} GLOB '{_LITE_MICROS}+00' OR {_LITE_FRACTION} GLOB '{_LITE_MICROS}+00:00'))"
        ),
        "is_amount": (
            f"CASE typeof({{0}}) WHEN 'integer' THEN abs({{0}}) < {_LARGEST} "
            f"WHEN 'real' THEN abs({{0}}) < {_LARGEST} AND abs({{0}} * 10000 - round({{0}} * 10000)) < 0.00001 "
            f"WHEN 'text' THEN {_LITE_PLAIN_NUMBER} AND CAST({{0}} AS REAL) < {_LARGEST} ELSE 0 END"
        ),
        "is_whole": (
            f"CASE typeof({{0}}) WHEN 'integer' THEN abs({{0}}) < {_LARGEST} "
            "WHEN 'text' THEN {0} NOT GLOB '*[^0-9]*' AND length({0}) BETWEEN 1 AND 9 ELSE 0 END"
        ),
        "micros": (
            f"(CAST(strftime('%s', {_LITE_SECONDS}) AS INTEGER) * 1000000 "
            f"+ CASE WHEN {_LITE_FRACTION} LIKE '.%' THEN CAST(substr({_LITE_FRACTION}, 2, 6) AS INTEGER) ELSE 0 END)"
        ),
        "ten_thousandths": "CAST(round(CAST({0} AS REAL) * 10000) AS INTEGER)",
        "within_money": _WITHIN_MONEY,
        "day_of": "(({0} + 2208988800000000) / 86400000000)",
        "month_of": "CAST(strftime('%m', 2415020.5 + {0}) AS INTEGER)",
        "local_of": "lower(substr({0}, 1, instr({0}, '@') - 1))",
        "is_odd_email": "({0} GLOB '*[^!-~]*' OR {0} GLOB '*[<:]*' OR {0} LIKE '%@%@%')",
        "ending_of": f"substr({_LITE_DIGITS}, -6)",
        "is_odd_phone": f"({_LITE_DIGITS} GLOB '*[^0-9]*')",
        "listed": "(SELECT value AS listed FROM json_each({0}))",
    },
}  # fmt: skip


def translate(sql: str, dialect: str, parameters: Mapping[str, int] | None = None) -> str:
    """DuckDB's SQL for a dialect of ``FUNCTIONS``: named functions put in, ``$name`` as the number of ``parameters``,
    else as ``:name``."""
    import sqlglot  # noqa: PLC0415  (it takes half a second to import: only where there is a database)
    from sqlglot import exp  # noqa: PLC0415

    tree = sqlglot.parse_one(sql, read="duckdb")
    for placeholder in list(tree.find_all(exp.Placeholder)):
        value = (parameters or {}).get(placeholder.name)
        placeholder.replace(exp.Var(this=f":{placeholder.name}") if value is None else exp.Literal.number(value))
    named, written = FUNCTIONS[dialect], _SQLGLOT[dialect]
    for call in reversed(list(tree.find_all(exp.Anonymous))):  # the innermost first
        template = named.get(call.name.lower())
        if template is not None:
            arguments = [argument.sql(dialect=written) for argument in call.expressions]
            call.replace(exp.Var(this=template.format(*arguments)))
    return tree.sql(dialect=written, comments=False)


_SQLGLOT = {"postgresql": "postgres", "sqlite": "sqlite"}
