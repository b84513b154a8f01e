"""The one kind of error that is meant for the person at the keyboard, and what it says of a misspelt word."""

import difflib
from collections.abc import Iterable


class SerError(ValueError):
    """Something that the user can put right: the message says what was wrong, where, and what to do.

    The command line prints it as one line and exits with status 1, as it does an OSError that names a file; anything
    else that is raised is a fault of ours and keeps its traceback.
    """


def suggestion(word: str, known: Iterable[str]) -> str:
    """'; did you mean ...?' for a misspelt word, followed by all that is known."""
    return f"{nearest(word, known) or '.'} Known: {', '.join(known)}"


def nearest(word: str, known: Iterable[str]) -> str:
    """'; did you mean ...?' for a misspelt word, or nothing where no known word is near."""
    near = difflib.get_close_matches(str(word).lower(), known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
