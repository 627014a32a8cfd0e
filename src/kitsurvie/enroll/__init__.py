"""First contact with a machine, and the pinning of its host keys. The only room with paramiko.

The order is what protects: the host key is shown and confirmed before any credential leaves, the
machine is prepared, the administrator's own way in is proved, and only then is anything written
in the workspace.
"""
