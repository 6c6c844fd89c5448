"""A person's data export, as the leak check examines it. Touches nothing."""

from dataclasses import dataclass

from troth.core.personal import MessageText


@dataclass(frozen=True, slots=True, repr=False)
class ExportDocument:
    """The same three times, and what of it the person had typed."""

    data: MessageText
    """JSON."""
    page: MessageText
    """HTML, whole: it loads nothing."""
    text: MessageText
    typed: MessageText
    """The same once more with nothing but what the person typed: it may name others, and is theirs to have back.

    Without the field of their address: that is the person's own by the leak index, or else this is the export of
    somebody else, who typed it.
    """
    said: MessageText
    """The same once more without anything personal: what stands in everybody's export."""
    values: MessageText
    """All that is personal in it, and nothing else."""

    @property
    def documents(self) -> tuple[MessageText, ...]:
        """Return every document of it."""
        return self.data, self.page, self.text
