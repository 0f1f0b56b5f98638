"""Tokens to twenty digits and back: published values, then properties, then refusals."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from sts.amount import UnitAmount
from sts.ciphers import SAMPLE_TABLES, Cipher, Misty1, Sta
from sts.codec import (
    BLOCK_LAYOUT,
    LARGEST_TOKEN,
    TRANSPOSED_LAYOUT,
    clear_block,
    decode,
    encode,
    format_token,
    insert_class,
    inspect,
    split_class,
)
from sts.errors import (
    CipherMismatchError,
    CrcMismatchError,
    DecoderKeyRequiredError,
    Exceeds66BitsError,
    NonCanonicalTokenError,
    NotTwentyDigitsError,
    ReservedClassError,
    ReservedSubclassError,
    StsError,
)
from sts.identifiers import KeyRevisionNumber, KeyType, SupplyGroupCode
from sts.key_material import DecoderKey
from sts.layouts import KIND_INDEX
from sts.tokens import (
    InitiateMeterTest,
    ProprietaryTest,
    ReadExtended,
    ReservedToken,
    Service,
    Set1stSectionDecoderKey,
    Set3rdSectionDecoderKey,
    Set3rdSectionSupplyGroup,
    Set4thSectionDecoderKey,
    Token,
    TransferCredit,
    WriteExtended,
)
from tests.strategies import (
    ISSUABLE_TOKENS,
    KeyBits,
    any_cipher,
    bits,
    ciphers,
    issuable_tokens,
)
from tests.sts import reference

MISTY1 = Misty1(DecoderKey.from_hex("929BD3A415C9420A05EC5EE9F3CE91C3"))
STA = Sta(DecoderKey.from_hex("E653341F9D5BF36F"), SAMPLE_TABLES)

WALK_THROUGH = TransferCredit(
    service=Service.ELECTRICITY, rnd=5, tid=0x014EEC, amount=UnitAmount(1)
)
WALK_THROUGH_DIGITS = "58625789986991357486"

# --- published values -------------------------------------------------------------------------


def test_the_walk_through_of_the_facts_sheet_comes_out_step_by_step() -> None:
    """0.1 kWh on 2014-03-01 at 13:00 UTC, STS 531-1-11 Edition 2.2, CTSA01 step 1."""
    block = clear_block(WALK_THROUGH)
    assert block == 0x05014EEC00013188
    cipher_block = MISTY1.encrypt_block(block)
    assert cipher_block == 0x2D98A5617B45BE2E
    assert insert_class(cipher_block, 0) == 0x32D98A5616345BE2E
    assert encode(WALK_THROUGH, MISTY1) == WALK_THROUGH_DIGITS
    assert decode("5862 5789 9869 9135 7486", MISTY1) == WALK_THROUGH


def test_the_traced_token_of_the_sample_tables_comes_out() -> None:
    token = TransferCredit(service=Service.ELECTRICITY, rnd=5, tid=0x599863, amount=UnitAmount(1))
    assert clear_block(token) == 0x05599863000119E6
    assert encode(token, STA) == "67540125520408448957"
    assert decode("67540125520408448957", STA) == token


def test_the_worked_example_of_the_standard_comes_out() -> None:
    cipher = Sta(DecoderKey.from_hex("0ABC12DEF3456789"), SAMPLE_TABLES)
    token = TransferCredit(
        service=Service.ELECTRICITY, rnd=11, tid=0x19EB23, amount=UnitAmount(256)
    )
    assert encode(token, cipher) == "51043465443420856213"


def test_the_printed_example_of_the_class_bits_comes_out() -> None:
    assert insert_class(0x6543210987654321, 1) == 0x0654321098F654321
    assert f"{insert_class(0x6543210987654321, 1):020d}" == "07296712146214535969"
    assert split_class(7296712146214535969) == (1, 0x6543210987654321)


# The tokens of any meter, by test number: with a two-digit and with a four-digit maker's code.
UNIVERSAL = [
    (0, "56493153725450313471", "02305843005052951967"),
    (1, "00000000000150997584", "01152921509036054672"),
    (2, "00000000000167774880", "01152921513331042448"),
    (3, "00000000000201328896", "01152921521920952465"),
    (4, "18446744073843772416", "01152921539100838034"),
    (5, "36893488147553322496", "01152921573460543637"),
    (6, "00000000000671093248", "01152921642180020378"),
    (7, "00000000001207974400", "01152921779618973828"),
    (8, "00000000002281728512", "01152922054496880824"),
    (9, "00000000004429208064", "01152922604252694700"),
    (10, "00000000008724195840", "01152923703764322536"),
    (11, "00000000017314105857", "01152925902787577952"),
    (12, "00000000034493991426", "01152930300834089776"),
    (13, "00000000068853697029", "01152939096927112592"),
    (14, "00000000137573173770", "01152956689113154192"),
    (15, "00000000275012127252", "01152991873485249680"),
    (16, "00000000549890034216", "01153062242229428368"),
    (17, "00000001099645848124", "01153202979717788816"),
    (18, "00000002199157475960", "01153484454694514832"),
]


@pytest.mark.parametrize(("test", "short", "long"), UNIVERSAL)
def test_the_tests_of_any_meter_have_their_published_tokens(
    test: int, short: str, long: str
) -> None:
    assert encode(InitiateMeterTest.for_tests([test])) == short
    assert encode(InitiateMeterTest.for_tests([test], manufacturer_digits=4)) == long
    for digits in (short, long):
        token = decode(digits)
        assert isinstance(token, InitiateMeterTest)
        assert token.tests == (test,)
        assert token.manufacturer_code == 0


def test_a_makers_own_test_has_its_published_token() -> None:
    token = InitiateMeterTest(control=1, manufacturer_code=4)
    assert encode(token) == "00000000000151260051"
    assert decode("00000000000151260051") == token


@pytest.mark.parametrize(
    ("token", "block", "digits"),
    [
        (ReadExtended(index=0), 0x2000000000000CA0, "02305843009347914912"),
        (ReadExtended.flag(0), 0x2FC0000000000C4E, "03440750115445279822"),
    ],
    ids=["control value", "flag 0"],
)
def test_extended_values_are_read_with_their_published_tokens(
    token: Token, block: int, digits: str
) -> None:
    assert clear_block(token) == block
    assert encode(token) == digits
    assert decode(digits) == token


@pytest.mark.parametrize(
    ("index", "data", "field"),
    [(63, 0, 0xFC00), (63, 1, 0xFC01), (0, 0, 0x0000), (0, 123, 0x007B)],
)
def test_extended_values_are_written_with_their_published_field(
    index: int, data: int, field: int
) -> None:
    """STS 531-1-11 Edition 2.2, CTSA24: flag 0 cleared and set, control value 0 and 123."""
    token = WriteExtended(rnd=5, tid=1, index=index, data=data)
    assert clear_block(token) >> 16 & 0xFFFF == field


# --- properties -------------------------------------------------------------------------------

EVERY_KIND = [
    pytest.param(key_bits, kind, id=f"{kind.__name__}-{key_bits}")
    for key_bits, kinds in ISSUABLE_TOKENS.items()
    for kind in kinds
]


@pytest.mark.parametrize(("key_bits", "kind"), EVERY_KIND)
@given(data=st.data())
def test_decoding_undoes_encoding(key_bits: KeyBits, kind: type[Token], data: DataObject) -> None:
    """Every kind, any content, any key, every algorithm, STA with three sets of tables."""
    token = data.draw(ISSUABLE_TOKENS[key_bits][kind])
    cipher = data.draw(ciphers[key_bits])
    content = clear_block(token, key_bits) >> 16 & (1 << 44) - 1
    used = None if token.token_class == 1 else cipher
    digits = encode(token, used)
    assert digits == reference.forge(token.token_class, token.subclass, content, cipher=used)
    assert decode(digits, cipher) == decode(format_token(digits), cipher) == token


@pytest.mark.parametrize(("key_bits", "kind"), EVERY_KIND)
@given(data=st.data())
def test_a_token_is_packed_as_its_fields_are(
    key_bits: KeyBits, kind: type[Token], data: DataObject
) -> None:
    token = data.draw(ISSUABLE_TOKENS[key_bits][kind])
    row = KIND_INDEX[token.token_class, token.subclass, key_bits]
    assert row.content_of(token) == row.layout.pack(row.fields_of(token))


@given(bits(64), st.integers(min_value=0, max_value=3))
def test_the_class_bits_go_in_and_come_out(block: int, token_class: int) -> None:
    number = insert_class(block, token_class)
    assert split_class(number) == (token_class, block)
    assert f"{number:020d}" == reference.splice(block, token_class)


@given(bits(64), st.integers(min_value=0, max_value=3))
def test_the_two_layouts_are_those_of_the_block_and_of_the_number(
    block: int, token_class: int
) -> None:
    in_block = BLOCK_LAYOUT.unpack(block)
    assert in_block["subclass"] == block >> 60
    assert in_block["crc"] == block & 0xFFFF
    assert BLOCK_LAYOUT.pack(in_block) == block
    in_number = TRANSPOSED_LAYOUT.unpack(insert_class(block, token_class))
    assert in_number["token_class"] == token_class
    assert in_number["displaced"] == block >> 27 & 3
    assert in_number["block_63_29"] == block >> 29
    assert in_number["block_26_0"] == block % (1 << 27)
    assert (BLOCK_LAYOUT.width, TRANSPOSED_LAYOUT.width) == (64, 66)


@given(bits(66))
def test_every_number_has_one_class_and_one_block(number: int) -> None:
    token_class, block = split_class(number)
    assert insert_class(block, token_class) == number


any_text = st.one_of(
    st.text(),
    st.text(alphabet="0123456789"),
    st.text(alphabet="0123456789 -\n.", min_size=15, max_size=30),
)
twenty_digits = st.one_of(
    st.text(alphabet="0123456789", min_size=20, max_size=20),
    bits(66).map(lambda number: f"{number:020d}"),
)


@given(text=st.one_of(any_text, twenty_digits), cipher=st.one_of(st.none(), any_cipher))
def test_any_text_is_a_token_or_refused_in_the_words_of_the_library(
    text: str, cipher: Cipher | None
) -> None:
    for read in (inspect, lambda typed: decode(typed, cipher)):
        outcome = outcome_of(read, text)
        assert not isinstance(outcome, StsError) or outcome.code


def outcome_of(read: Callable[[str], object], text: str) -> object:
    """Return what ``read`` makes of ``text``, or its refusal; anything else is a fault."""
    try:
        return read(text)
    except StsError as error:
        return error


@given(
    token_class=st.integers(min_value=0, max_value=2),
    subclass=bits(4),
    content=bits(44),
    cipher=any_cipher,
)
def test_only_the_canonical_form_decodes(
    token_class: int, subclass: int, content: int, cipher: Cipher
) -> None:
    """Authentic digits with any content: what is accepted is made again digit for digit."""
    used = None if token_class == 1 else cipher
    digits = reference.forge(token_class, subclass, content, cipher=used)
    token = outcome_of(lambda text: decode(text, used), digits)
    if isinstance(token, ReservedToken):
        assert (token.token_class, token.subclass, token.content) == (
            token_class,
            subclass,
            content,
        )
    elif isinstance(token, StsError):
        assert isinstance(token, NonCanonicalTokenError | CipherMismatchError)
    else:
        assert encode(token, used) == digits  # type: ignore[arg-type]  # what decode returned


@given(cipher=any_cipher, data=st.data())
def test_one_cipher_serves_any_number_of_tokens(cipher: Cipher, data: DataObject) -> None:
    """In another engine an object was of no use after its first decoding."""
    key_bits: KeyBits = 128 if cipher.key_bits == 128 else 64
    tokens = data.draw(st.lists(issuable_tokens(key_bits), min_size=2, max_size=4))
    digits = [encode(token, cipher) for token in tokens]
    assert [decode(text, cipher) for text in digits] == tokens
    assert [encode(token, cipher) for token in tokens] == digits


@given(any_cipher)
def test_a_token_that_is_not_encrypted_does_not_ask_for_the_key(cipher: Cipher) -> None:
    token = InitiateMeterTest.for_tests([1])
    assert encode(token, cipher) == encode(token)
    assert decode(encode(token), cipher) == token


# --- what is read but not made ----------------------------------------------------------------

RESERVED_SUBCLASSES = [
    *((0, subclass) for subclass in range(8, 16)),
    *((1, subclass) for subclass in range(3, 6)),
]


@pytest.mark.parametrize(("token_class", "subclass"), RESERVED_SUBCLASSES)
def test_a_reserved_subclass_is_recognised_and_never_issued(
    token_class: int, subclass: int
) -> None:
    digits = reference.forge(
        token_class, subclass, 0x123456789AB, cipher=None if token_class == 1 else MISTY1
    )
    token = decode(digits, MISTY1)
    assert token == ReservedToken(token_class=token_class, subclass=subclass, content=0x123456789AB)
    with pytest.raises(
        ReservedSubclassError, match=f"class {token_class} subclass {subclass} is reserved"
    ):
        encode(token, MISTY1)


@pytest.mark.parametrize("subclass", range(6, 16))
def test_a_makers_test_is_recognised_with_his_code(subclass: int) -> None:
    token = decode(reference.forge(1, subclass, 0x0000000_0064))
    assert isinstance(token, ProprietaryTest)
    assert token.subclass == subclass
    assert token.manufacturer_digits == (4 if subclass <= 10 else 2)
    assert token.manufacturer_code == 100


# --- refusals, in the order of their precedence -----------------------------------------------

TOO_LARGE = str(LARGEST_TOKEN + 1)
CLASS_3 = reference.forge(3, 0, 0)
BROKEN = "58625789986991357487"


def test_the_largest_token_fills_sixty_six_bits() -> None:
    assert LARGEST_TOKEN == 73786976294838206463
    with pytest.raises(ReservedClassError):
        decode(str(LARGEST_TOKEN))


@pytest.mark.parametrize(
    ("text", "found", "other_characters"),
    [
        ("", 0, False),
        ("5862578998699135748", 19, False),
        ("586257899869913574860", 21, False),
        ("5862578998699135748O", 19, True),
        ("58625789986991357486x", 20, True),
        ("+5862578998699135748", 19, True),
        # Python's int() would take an underscore and these digits; a keypad has neither.
        ("5862_5789986991357486", 20, True),
        ("٥٨٦٢٥٧٨٩٩٨٦٩٩١٣٥٧٤٨٦", 0, True),
    ],
)
def test_what_is_not_twenty_digits_is_refused(
    text: str, found: int, *, other_characters: bool
) -> None:
    with pytest.raises(NotTwentyDigitsError) as caught:
        decode(text, MISTY1)
    assert (caught.value.found, caught.value.other_characters) == (found, other_characters)
    assert ("and characters that are not digits" in str(caught.value)) is other_characters


# Each entry has every later fault as well, as far as that can be.
PRECEDENCE: list[tuple[str, Cipher | None, type[StsError]]] = [
    (f"{TOO_LARGE}x", None, NotTwentyDigitsError),
    ("99999999999999999999", None, Exceeds66BitsError),
    (TOO_LARGE, MISTY1, Exceeds66BitsError),
    (CLASS_3, None, ReservedClassError),
    (CLASS_3, MISTY1, ReservedClassError),
    (BROKEN, None, DecoderKeyRequiredError),
    (BROKEN, MISTY1, CrcMismatchError),
    # A fourth section under a 64-bit key, its checksum wrong and then right.
    (reference.splice(STA.encrypt_block(0x9031156C51B00000), 2), STA, CrcMismatchError),
    (reference.forge(2, 9, 0x031156C51B0, cipher=STA), STA, CipherMismatchError),
    # Key revision number 0, its checksum wrong and then right.
    (reference.splice(STA.encrypt_block(0x3F02B199270A0000), 2), STA, CrcMismatchError),
    (reference.forge(2, 3, 0xF02B199270A, cipher=STA), STA, NonCanonicalTokenError),
]


@pytest.mark.parametrize(("text", "cipher", "error"), PRECEDENCE)
def test_the_first_fault_in_the_order_of_the_checks_is_the_one_told(
    text: str, cipher: Cipher | None, error: type[StsError]
) -> None:
    with pytest.raises(error) as caught:
        decode(text, cipher)
    assert type(caught.value) is error


def test_a_class_1_token_with_a_wrong_digit_is_refused_with_or_without_a_key() -> None:
    for cipher in (None, MISTY1):
        with pytest.raises(CrcMismatchError):
            decode("00000000000150997585", cipher)


@pytest.mark.parametrize("wrong_bit", range(128))
def test_a_token_does_not_open_under_a_key_with_one_wrong_bit(wrong_bit: int) -> None:
    key = int("929BD3A415C9420A05EC5EE9F3CE91C3", 16) ^ 1 << wrong_bit
    with pytest.raises(CrcMismatchError):
        decode(WALK_THROUGH_DIGITS, Misty1(DecoderKey(key.to_bytes(16, "big"))))


@pytest.mark.parametrize("token_class", [0, 2])
def test_what_is_encrypted_needs_a_key(token_class: int) -> None:
    digits = reference.forge(token_class, 0, 0, cipher=MISTY1)
    with pytest.raises(DecoderKeyRequiredError) as caught:
        decode(digits)
    assert caught.value.token_class == token_class
    token = decode(digits, MISTY1)
    with pytest.raises(DecoderKeyRequiredError) as caught:
        encode(token)
    assert caught.value.token_class == token_class


@pytest.mark.parametrize(
    ("token", "cipher"),
    [
        (Set3rdSectionSupplyGroup(supply_group_code=SupplyGroupCode(201457)), MISTY1),
        (Set3rdSectionDecoderKey(supply_group_low=0x2F1, new_key_middle_2=1), STA),
        (Set4thSectionDecoderKey(supply_group_high=0x031, new_key_middle_1=1), STA),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_part_for_the_other_key_length_is_not_encrypted(token: Token, cipher: Cipher) -> None:
    with pytest.raises(CipherMismatchError) as caught:
        encode(token, cipher)
    assert str(caught.value) == (
        f"{type(token).__name__} belongs to a {192 - cipher.key_bits}-bit decoder key, "
        f"found {cipher.key_bits}"
    )


def test_a_set_of_three_is_not_announced_for_a_long_key() -> None:
    token = Set1stSectionDecoderKey(
        key_expiry_high=0xF,
        key_revision_number=KeyRevisionNumber(1),
        rollover=False,
        three_token_set=True,
        key_type=KeyType.UNIQUE,
        new_key_high=0xB199270A,
    )
    assert decode(encode(token, STA), STA) == token
    with pytest.raises(NonCanonicalTokenError) as caught:
        encode(token, MISTY1)
    assert caught.value.field == "three_token_set"


# --- without a key ----------------------------------------------------------------------------


def test_a_class_1_token_tells_everything_without_a_key() -> None:
    seen = inspect("0115-2921-5090-3605-4672")
    assert (seen.token_class, seen.encrypted) == (1, False)
    assert seen.digits == "01152921509036054672"
    assert seen.block == reference.clear_block(1, 1, 0x0000001_0000)
    assert seen.token == InitiateMeterTest.for_tests([1], manufacturer_digits=4)


def test_an_encrypted_token_tells_its_class_and_its_closed_block() -> None:
    seen = inspect("5862 5789 9869 9135 7486")
    assert (seen.token_class, seen.encrypted) == (0, True)
    assert seen.digits == WALK_THROUGH_DIGITS
    assert seen.block == 0x2D98A5617B45BE2E
    assert seen.token is None


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("1234", NotTwentyDigitsError),
        (TOO_LARGE, Exceeds66BitsError),
        (CLASS_3, ReservedClassError),
        ("00000000000150997585", CrcMismatchError),
    ],
)
def test_without_a_key_the_same_entries_are_refused(text: str, error: type[StsError]) -> None:
    with pytest.raises(error):
        inspect(text)


# --- as people see it -------------------------------------------------------------------------


def test_a_token_is_printed_in_five_groups_of_four() -> None:
    assert format_token(WALK_THROUGH_DIGITS) == "5862 5789 9869 9135 7486"
    assert format_token(WALK_THROUGH_DIGITS, "-") == "5862-5789-9869-9135-7486"


@pytest.mark.parametrize(
    "text",
    [
        WALK_THROUGH_DIGITS,
        "5862 5789 9869 9135 7486",
        "5862-5789-9869-9135-7486",
        " 58625789 - 986991357486 ",
    ],
)
def test_spaces_and_dashes_make_no_difference(text: str) -> None:
    assert decode(text, MISTY1) == WALK_THROUGH
