"""Origins: the commit names the code, and versions that train in the same way are one."""

import subprocess
import sys

import pytest

from ser_lib import origins, paths

ONE = 'def step(x):\n    """One."""\n    return x + 1\n'


@pytest.fixture
def commit(tmp_path, monkeypatch):
    """A project of its own below git, as a function that commits a file and returns the version of the code then."""
    monkeypatch.setattr(paths, "PROJECT", tmp_path)
    (tmp_path / "ser_lib").mkdir()
    (tmp_path / "ser_lib" / "optim.py").write_text("as_ever = 1")
    author = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    git = ["git", "-C", str(tmp_path), *author]
    subprocess.run([*git, "init", "-q"], check=True)

    def add(file: str, text: str) -> str:
        (tmp_path / file).write_text(text)
        for words in (["add", "-A"], ["commit", "-qm", file]):
            subprocess.run([*git, *words], check=True)
        return origins.code_version()

    return add


def test_commits_that_differ_in_nothing_that_trains_are_one_version_of_the_code(commit):
    first = commit("ser_lib/training.py", ONE)
    others = [commit("ser_lib/figures.py", "blue"), commit("README.md", "words")]
    others.append(
        commit(
            "ser_lib/training.py", "# why\n" + ONE.replace("One.", "Two.").replace("x + 1", "(\n        x + 1\n    )")
        )
    )
    changed = commit("ser_lib/training.py", ONE.replace("x + 1", "x + 2"))
    back = commit("ser_lib/training.py", ONE)
    added = commit("ser_lib/strip.py", "new = 1")
    assert {origins.code_of_runs(version) for version in [first, *others, back]} == {origins.code_of_runs(first)}
    assert len({origins.code_of_runs(version) for version in (first, changed, added)}) == 3
    for unknown in (f"{first}+", "unknown", "bbbbbbbbbbbb"):  # not a commit, or not as it was committed
        assert origins.code_of_runs(unknown) == unknown


def test_a_checkout_of_something_else_around_the_project_names_no_code_of_it(commit, tmp_path):
    version = commit("ser_lib/training.py", ONE)
    subprocess.run(["git", "-C", str(tmp_path), "rm", "-rq", "--cached", "ser_lib"], check=True)
    (tmp_path / ".gitignore").write_text("ser_lib")
    assert commit("README.md", "another project, in which this one lies unpacked") == "unknown"
    without = subprocess.run(["git", "-C", str(tmp_path), "rev-parse", "HEAD"], capture_output=True, text=True).stdout
    assert origins.code_of_runs(without.strip()) == without.strip() != origins.code_of_runs(version)


def test_versions_are_told_apart_where_the_project_is_a_folder_of_a_larger_checkout(commit, tmp_path, monkeypatch):
    (tmp_path / "project" / "ser_lib").mkdir(parents=True)
    monkeypatch.setattr(paths, "PROJECT", tmp_path / "project")
    first = commit("project/ser_lib/training.py", ONE)
    same = commit("words.md", "words")
    changed = commit("project/ser_lib/training.py", ONE.replace("x + 1", "x + 2"))
    assert len({first, same, changed}) == 3
    assert origins.code_of_runs(first) == origins.code_of_runs(same) != origins.code_of_runs(changed)
    assert origins.code_of_runs(first) != first


def test_the_modules_that_tell_versions_apart_are_all_that_training_imports_but_settings_and_corpora():
    script = "import ser_lib.training, sys; print(*(name for name in sys.modules if name.startswith('ser_lib.')))"
    done = subprocess.run([sys.executable, "-c", script], cwd=paths.PROJECT, capture_output=True, text=True, check=True)
    imported = {name.split(".")[1] for name in done.stdout.split()}
    assert imported == {*origins.RUN_MODULES, "corpora", "experiments", "errors", "files", "paths"}


def test_the_code_version_is_the_commit_and_says_when_the_code_differs_from_it(monkeypatch):
    def answer(*arguments):
        return {"rev-parse": "abcdef012345", "ls-tree": "ser_lib", "status": changed}[arguments[0]]

    monkeypatch.setattr(origins, "_git", answer)
    changed = ""
    assert origins.code_version() == "abcdef012345"
    changed = " M ser_lib/model.py"
    assert origins.code_version() == "abcdef012345+"


def test_outside_of_a_checkout_the_code_version_is_unknown(tmp_path, monkeypatch):
    monkeypatch.setattr(paths, "PROJECT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert origins.code_version() == "unknown"


def test_what_is_changed_or_new_in_the_code_after_its_commit_is_marked_and_nothing_else(commit, tmp_path):
    version = commit("ser_lib/training.py", ONE)
    (tmp_path / "README.md").write_text("words")
    assert not version.endswith("+") and origins.code_version() == version
    (tmp_path / "ser_lib" / "new.py").write_text("")
    assert origins.code_version() == f"{version}+"
    (tmp_path / "ser_lib" / "new.py").unlink()
    (tmp_path / "ser_lib" / "optim.py").write_text("as_ever = 2")
    assert origins.code_version() == f"{version}+"
