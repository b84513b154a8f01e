"""Protects papermill's parameters: one that is misspelt, missing or of the wrong type never runs with a default."""

import pytest

from ser_lib import notebook
from ser_lib.errors import SerError

KERNEL = {
    "In": [],
    "Out": {},
    "get_ipython": print,
    "exit": None,
    "quit": None,
    "open": open,
    "_i1": "",
    "__name__": "x",
}


def test_the_parameters_of_the_notebook_pass():
    notebook.check_parameters({**KERNEL, "fold": 1, "corpus": "emodb", "notebook": notebook}, fold=int, corpus=str)


def test_a_misspelt_parameter_is_named_with_the_nearest():
    with pytest.raises(SerError, match="'flod'.*did you mean 'fold'"):
        notebook.check_parameters({**KERNEL, "fold": 1, "flod": 2}, fold=int)


@pytest.mark.parametrize("value", ["one", 1.5, None, True])
def test_a_parameter_of_the_wrong_type_is_refused(value):
    with pytest.raises(SerError, match="fold = .* must be of type int"):
        notebook.check_parameters({**KERNEL, "fold": value}, fold=int)


def test_a_parameter_that_is_not_set_is_refused():
    with pytest.raises(SerError, match="'fold' is not set"):
        notebook.check_parameters(KERNEL, fold=int)


def test_a_choice_that_does_not_exist_is_refused_and_the_nearest_is_suggested():
    notebook.check_choice("source", "runs", ["results", "runs"])
    with pytest.raises(SerError, match="source = 'run' is none of its choices; did you mean 'runs'.*Known: results"):
        notebook.check_choice("source", "run", ["results", "runs"])
