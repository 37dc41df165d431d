"""Cases are for type checkers to read: nothing runs them."""

collect_ignore = ["cases"]
