"""What tests of the launcher share."""

from tests.launch.test_users import people, within_reach

__all__ = ["people", "within_reach"]
