"""Check every public name below `napari_veinseg` with numpydoc's own validator.

Arrays need words (shape, range), and so do numbers that are given as floats (unit, range).  Where
a signature has neither, its names and types may speak for themselves: the section may be left out,
but one that is there is whole.  What a single number that comes out means is said by the summary.
A field of a dataclass or model is described by a string below it; fields of one type may share one.
A type of `data.array_types`, or another that is annotated with words, says its own.
"""

import ast
import importlib
import inspect
import pkgutil
import re
import sys
import textwrap
from collections.abc import Iterator
from enum import Enum
from typing import get_args, get_origin

from numpydoc.validate import validate

import napari_veinseg

WIDGETS = "napari_veinseg.widgets"  # nobody calls them from outside: a summary line is enough
# Summary, parameters with descriptions, returns, yields: what a reader of the API needs.
SECTIONS = {"PR01": "Parameters", "RT01": "Returns", "YD01": "Yields"}
NEEDS_WORDS = {
    "PR01": re.compile(r"\b(ndarray|ArrayLike|Tensor|float)\b"),
    "RT01": re.compile(r"\b(ndarray|ArrayLike|Tensor)\b"),
    "YD01": re.compile(r"\b(ndarray|ArrayLike|Tensor)\b"),
}
CODES = {"GL08", "PR01", "PR02", "PR03", "PR04", "PR07", "RT01", "RT03", "SS02", "SS03", "YD01"}


def public_names() -> Iterator[str]:
    """Yield the dotted names of functions, classes and methods that are public."""
    for info in pkgutil.walk_packages(napari_veinseg.__path__, "napari_veinseg."):
        if info.name.startswith(WIDGETS) or "._" in info.name:
            continue
        module = importlib.import_module(info.name)
        assert module.__doc__, f"{info.name} has no docstring"  # numpydoc stumbles over modules
        for name, member in vars(module).items():
            if name.startswith("_") or getattr(member, "__module__", None) != info.name:
                continue
            if inspect.isfunction(member):
                yield f"{info.name}.{name}"
            elif inspect.isclass(member):
                # A protocol or an enumeration takes no arguments of its own.
                if not getattr(member, "_is_protocol", False) and not issubclass(member, Enum):
                    yield f"{info.name}.{name}"
                for method, function in vars(member).items():
                    # Lower case: Qt's own methods, overridden, keep Qt's names and meaning.
                    if re.fullmatch("[a-z][a-z_0-9]*", method) and inspect.isfunction(function):
                        yield f"{info.name}.{name}.{method}"


def said_elsewhere(name: str, code: str) -> bool:
    """Whether what numpydoc misses is said by a command's help, or by the types of a signature."""
    if code not in SECTIONS:
        return False
    if name.startswith("napari_veinseg.cli.") and code == "PR01":
        return True
    member = pkgutil.resolve_name(name)
    absent = f"{SECTIONS[code]}\n---" not in (inspect.getdoc(member) or "")
    if inspect.isclass(member) and "__init__" not in inspect.getsource(member):
        return absent and not any(
            NEEDS_WORDS[code].search(wordless(each)) for each in types_without_words(member)
        )
    signature = inspect.signature(member)
    types = (
        [parameter.annotation for parameter in signature.parameters.values()]
        if code == "PR01"
        else [signature.return_annotation]
    )
    return absent and not any(NEEDS_WORDS[code].search(wordless(each)) for each in types)


def wordless(annotation: object) -> str:
    """Name the types in an annotation, without those that are annotated with words."""
    if any(isinstance(words, str) for words in getattr(annotation, "__metadata__", ())):
        return ""
    parts = annotation if isinstance(annotation, list) else get_args(annotation)
    if not parts:
        return str(annotation)
    return " ".join([str(get_origin(annotation)), *map(wordless, parts)])


def types_without_words(member: type) -> list[object]:
    """List the types of the fields of a class that no string describes."""
    annotations = inspect.get_annotations(member)
    fields: list[str] = []
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(member))).body
    assert isinstance(definition, ast.ClassDef)
    for node in definition.body:
        if isinstance(node, ast.AnnAssign):
            fields.append(ast.unparse(node.target))
        elif fields and isinstance(node, ast.Expr):
            described = annotations[fields[-1]]
            while fields and annotations[fields[-1]] == described:
                fields.pop()
    return [annotations[name] for name in fields]


def main() -> int:
    faults = [
        f"{name}: {code} {text}"
        for name in public_names()
        for code, text in validate(name)["errors"]
        if code in CODES and not said_elsewhere(name, code)
    ]
    print("\n".join(faults) or "docstrings: all public names are described")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
