"""Every process finds the same folders, wherever it was started."""

from pathlib import Path

import pytest

from ser_lib import corpora, fetch, paths
from ser_lib.errors import SerError

FOLDERS = {"SER_DATA": paths.data_folder, "SER_RUNS": paths.runs_folder, "SER_RESULTS": paths.results_folder}


@pytest.mark.parametrize(("variable", "folder"), FOLDERS.items(), ids=FOLDERS)
def test_a_relative_folder_of_the_environment_is_one_whatever_folder_a_process_runs_in(
    variable, folder, monkeypatch, tmp_path
):
    """A page runs in the folder of the book, the command line in that of its user."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(variable, "here")
    assert folder() == paths.PROJECT / "here"
    monkeypatch.setenv(variable, str(tmp_path / "there"))
    assert folder() == tmp_path / "there"
    monkeypatch.setenv(variable, "~/there")
    assert folder() == Path.home() / "there"
    monkeypatch.delenv(variable)
    assert folder().parent == paths.PROJECT


def test_relative_corpora_are_below_the_project_too(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SER_CORPORA", "no such folder")
    with pytest.raises(SerError, match=f"there is no folder {paths.PROJECT}/no such folder/emodb"):
        corpora.load("emodb")
    assert fetch.place("emodb", None) == paths.PROJECT / "no such folder" / "emodb"  # fetched to where it is read
    assert fetch.place("emodb", "here") == tmp_path / "here"
