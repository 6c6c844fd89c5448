"""The rooms that hold something of people, in the order in which an export names them."""

from troth.inbox import erase as inbox
from troth.letters import erase as letters
from troth.vault.holdings import Holding

HOLDINGS: tuple[Holding, ...] = (letters, inbox)
