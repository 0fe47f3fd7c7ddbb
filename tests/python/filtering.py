"""The filter language once more, in Python: what the engine's answers are compared with."""

from __future__ import annotations

from decimal import Decimal

NEGATED = {"ne": "eq", "nin": "in"}


def values_at(metadata, path):
    """Every value that a dotted path can be read as."""
    if not isinstance(metadata, dict):
        return
    if path in metadata:
        yield metadata[path]
    for at, character in enumerate(path):
        if character == "." and path[:at] in metadata:
            yield from values_at(metadata[path[:at]], path[at + 1 :])


def scalar(value):
    """Something that is equal for equal scalars; None for lists and objects."""
    if value is None or isinstance(value, bool):
        return ("constant", value)
    if isinstance(value, (int, float)):
        return ("number", Decimal(repr(value)))
    return ("string", value) if isinstance(value, str) else None


def compares(operator, value, bound):
    a, b = scalar(value), scalar(bound)
    if a is None or a[0] != b[0] or a[0] == "constant":
        return False
    # Strings are compared by code points, as in Python.
    return {"gt": a[1] > b[1], "gte": a[1] >= b[1], "lt": a[1] < b[1], "lte": a[1] <= b[1]}[operator]


def meets(operator, operand, value):
    match operator:
        case "eq":
            return scalar(value) == scalar(operand)
        case "in":
            return scalar(value) is not None and scalar(value) in [scalar(o) for o in operand]
        case "prefix":
            return isinstance(value, str) and value.startswith(operand)
        case "contains" if isinstance(value, str):
            return isinstance(operand, str) and operand in value
        case "contains":
            return isinstance(value, list) and scalar(operand) in [
                scalar(e) for e in value if scalar(e) is not None
            ]
    return compares(operator, value, operand)


def condition(metadata, path, operator, operand):
    operator = operator.removeprefix("$")
    values = list(values_at(metadata, path))
    if operator == "not":
        return not all(condition(metadata, path, *inner) for inner in operand.items())
    if operator == "exists":
        return bool(values) == operand
    if operator in NEGATED:
        return not condition(metadata, path, NEGATED[operator], operand)
    return any(meets(operator, operand, value) for value in values)


def matches(metadata, wanted):
    """Whether metadata match a filter."""
    for key, value in wanted.items():
        if key == "$and":
            right = all(matches(metadata, inner) for inner in value)
        elif key == "$or":
            right = any(matches(metadata, inner) for inner in value)
        elif key == "$not":
            right = not matches(metadata, value)
        elif isinstance(value, dict):
            right = all(condition(metadata, key, *inner) for inner in value.items())
        else:
            right = condition(metadata, key, "in" if isinstance(value, list) else "eq", value)
        if not right:
            return False
    return True
