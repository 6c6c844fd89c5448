"""The fences that the kernel holds: seccomp and Landlock. Standard library only."""
