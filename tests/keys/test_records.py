import pytest

from keys.errors import RecordError
from keys.records import check_value_of
from sts import KeyType, VendingKey
from tests.keys.conftest import RecordMaker


def test_a_check_value_has_six_digits_and_differs_between_keys(vending_key: VendingKey) -> None:
    other = VendingKey.from_hex("ABABABABABABABAB949494949494949401234566")
    assert len(check_value_of(vending_key)) == 6
    assert check_value_of(vending_key) != check_value_of(other)


@pytest.mark.parametrize(
    "changes",
    [
        {"tenant": ""},
        {"key_type": KeyType.INITIALISATION},
        {"check_value": "12345"},
        {"check_value": "12345g"},
        {"check_value": "abcdef"},
    ],
    ids=str,
)
def test_metadata_that_no_key_can_have_is_refused(
    make_record: RecordMaker, changes: dict[str, object]
) -> None:
    with pytest.raises(RecordError) as refusal:
        make_record(**changes)
    assert refusal.value.code == "KEY_RECORD"
