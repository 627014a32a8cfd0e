"""Many hosts at once over SSH: one command on each, bytes in, bytes out.

The room knows nothing of evidence. `client` is what the rest of kitsurvie uses and needs only the
standard library; the connections live in a process of their own (`python -m kitsurvie.fleet`),
because gevent changes the standard library of whatever process it is in.
"""
