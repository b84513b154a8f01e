"""The one kind of error that is meant for the person at the keyboard."""


class SerError(ValueError):
    """Something that the user can put right: the message says what was wrong, where, and what to do.

    The command line prints it as one line and exits with status 1, as it does an OSError that names a file; anything
    else that is raised is a fault of ours and keeps its traceback.
    """
