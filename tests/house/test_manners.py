"""Rules of the house that no linter knows: the environment, empty packages, and nothing of one machine in the tree."""

from __future__ import annotations

import ast
import re

import pytest

ENVIRONMENT = {"environ", "environb", "getenv", "getenvb", "putenv", "unsetenv"}
FORBIDDEN_NAMES = {"utils", "helpers", "common", "misc", "manager", "service", "base"}

# No pattern here matches its own text, so that this file is not its own offender.
MACHINE_PATH = re.compile(r"(?:^|[^\w.$~-])/(?:work|root|farm)/[\w.]")
PACKAGE_HOSTS = re.compile(
    r"\b(?:pypi[.]org|files[.]pythonhosted[.]org|(?:proxy|sum)[.]golang[.]org|registry[.]npmjs[.]org|deb[.]debian[.]org)\b"
)


def product(tracked):
    return [path for path in tracked if path.parts[0] in {"bot", "handlers"} and path.suffix == ".py"]


def reads_environment(tree):
    """Return the lines that touch the process's environment, however it is imported."""
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module == "os"]
    return [
        *(node.lineno for node in attributes if node.attr in ENVIRONMENT and ast.unparse(node.value) == "os"),
        *(node.lineno for node in imports if ENVIRONMENT & {name.name for name in node.names}),
    ]


def test_only_settings_reads_the_environment(root, tracked):
    offences = [
        f"{path}:{line}"
        for path in product(tracked)
        if str(path) != "bot/settings.py"
        for line in reads_environment(ast.parse((root / path).read_text(), filename=str(path)))
    ]
    assert offences == []


@pytest.mark.parametrize(
    "text", ["import os\nos.environ['A']", "import os\nos.getenv('A')", "from os import environ as e"]
)
def test_reading_the_environment_is_seen(text):
    assert reads_environment(ast.parse(text))


def test_packages_say_nothing(root, tracked):
    assert [str(path) for path in product(tracked) if path.name == "__init__.py" and (root / path).stat().st_size] == []


def test_modules_have_names_that_say_something(tracked):
    assert [str(path) for path in product(tracked) if path.stem in FORBIDDEN_NAMES] == []


def test_tests_are_no_package(tracked):
    assert [str(path) for path in tracked if path.parts[0] == "tests" and path.name == "__init__.py"] == []


@pytest.mark.parametrize("pattern", [MACHINE_PATH, PACKAGE_HOSTS], ids=["a path of one machine", "a package host"])
def test_nothing_of_one_machine_is_in_the_tree(root, tracked, pattern):
    offences = []
    for path in tracked:
        data = (root / path).read_bytes()
        if b"\0" in data:
            continue
        lines = enumerate(data.decode(errors="replace").splitlines(), start=1)
        offences += [f"{path}:{number}: {line[:120]}" for number, line in lines if pattern.search(line)]
    assert offences == []


@pytest.mark.parametrize("folder", ["work", "root"])
def test_a_path_of_one_machine_is_seen(folder):
    assert MACHINE_PATH.search(f"see /{folder}/main/README.md")
    assert not MACHINE_PATH.search(f"see docs/{folder}/README.md and $HOME/{folder}/x")
