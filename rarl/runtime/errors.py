"""The one exception that is meant for the user."""


class UserError(Exception):
    """Something the user can mend; the message is one line: what, where, what to do.

    The command line prints it without a traceback and exits with status 1.
    """
