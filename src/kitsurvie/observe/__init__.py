"""Commands to one script, its output to evidence.

`request` makes what is sent to a host, `runner` is the program that runs there, `answers` reads
what came back. The room knows nothing of how the bytes travel.
"""
