"""What the pages about people show (`core.rooms`). The people themselves lie in the vault."""

from troth.core.rooms import MenuLink, Room
from troth.kit.roles import DESK

ROOM = Room(
    name="people",
    urls="troth.people.urls",
    navigation=(
        MenuLink(
            place=30,
            url_name="people",
            label="People",
            icon="people",
            also=(
                "person",
                "search_people",
                "consent",
                "edit_person",
                "delete_person",
                "erasure",
                "import_people",
                "import_preview",
            ),
            roles=DESK,
        ),
    ),
)
