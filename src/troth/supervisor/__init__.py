"""How the processes are started, fenced and kept alive. Standard library only."""
