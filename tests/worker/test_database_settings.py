"""What the database's address says reaches the driver: a far database is verified, not only asked to be."""

from pathlib import Path

from troth.django_settings import postgresql

NOWHERE = Path("/nonexistent")


def test_a_far_database_is_verified() -> None:
    url = "postgresql://troth@db.example.com:5433/troth?sslmode=verify-full&sslrootcert=/etc/ssl/ca.pem"
    made = postgresql(url, NOWHERE)
    assert made["OPTIONS"]["sslmode"] == "verify-full"
    assert made["OPTIONS"]["sslrootcert"] == "/etc/ssl/ca.pem"
    assert (made["HOST"], made["PORT"], made["NAME"], made["USER"]) == ("db.example.com", "5433", "troth", "troth")


def test_a_password_comes_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "database-password"
    file.write_text("open sesame\n")
    assert postgresql("postgresql://troth@localhost/troth", file)["PASSWORD"] == "open sesame"


def test_a_socket_is_named_by_its_folder() -> None:
    assert postgresql("postgresql://troth@%2Frun%2Fpostgresql/troth", NOWHERE)["HOST"] == "/run/postgresql"
