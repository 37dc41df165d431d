"""YAML 1.2 and JSON text → plain data that knows where in the file it stands."""

from anabranch.values.yaml.nodes import Entries, Entry, Items, Node, Place, Scalar, Spot
from anabranch.values.yaml.scalars import resolve
from anabranch.values.yaml.text import Document, read_yaml

__all__ = [
    "Document",
    "Entries",
    "Entry",
    "Items",
    "Node",
    "Place",
    "Scalar",
    "Spot",
    "read_yaml",
    "resolve",
]
