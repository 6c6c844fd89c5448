"""A sample vendor with a mail company of its own, all on this machine, to try Troth with."""
