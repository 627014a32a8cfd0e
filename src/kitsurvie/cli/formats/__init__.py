"""A run in the shapes that other programs and people open.

Each renderer is a pure function of the documented JSON document (docs/reference/json.md).
"""
