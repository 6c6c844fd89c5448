"""The rooms that hold something of people, in the order in which an export names them."""

from troth.letters import erase as letters
from troth.vault.holdings import Holding

HOLDINGS: tuple[Holding, ...] = (letters,)
