"""The token engine over arrays: millions of tokens a second on one core, for whole fleets.

The results are those of the scalar core (``sts``), row by row. An array function never raises for a
row: it returns a ``status`` column of ``uint8`` (``Status``), and where that is not ``OK`` there is
no key, no number and no token. What is wrong as a whole, such as a column of floats or of another
length, raises an ``ArrayError``. Columns that a function returns can be handed to the next one with
their status, and a row that failed early stays failed.

Lengths are free, but memory is not: feed a fleet in pieces of some hundred thousand rows. Within a
call, ``CHUNK_ROWS`` rows are worked on at once. Nothing here has state, so processes, each with its
own pieces, need not know of each other. Everything that holds key bytes (``DecoderKeys``,
``Cipher``) hides and never pickles them; it is made where it is used.

From one end to the other, for meters of one supply group, with the digits of the meters' labels in
``labels`` (``S11`` or ``S13``)::

    from sts import batch

    # Derive. Only keys/ has a vending key.
    pans = batch.parse_meter_numbers(labels)
    attributes = batch.KeyAttributeColumns(
        meter_pans=pans, supply_group_codes=123456, tariff_indexes=1, key_revision_numbers=1,
        key_types=2, base_date=BaseDate.Y2014, encryption_algorithm=EncryptionAlgorithm.STA,
    )
    keys = batch.derive_decoder_keys(KeyGenerationAlgorithm.DKGA02, vending_key, attributes)
    cipher = batch.new_cipher(EncryptionAlgorithm.STA, keys, sta_tables=tables)

    # Credit: tenths of a kWh, minutes since the base date and 4 random bits, each a column.
    amounts = batch.encode_amounts(tenths_kwh)
    credits = batch.transfer_credits(
        tids=tids, amount_codes=amounts.codes, rnd=random_bits, status=amounts.status
    )
    tokens = batch.encode(credits, cipher)          # tokens.digits, tokens.status

    # Key change: the new keys in the place of the old ones.
    changes = batch.KeyChanges(
        new_keys=new_keys, key_expiry_numbers=255, key_revision_numbers=2, key_types=2,
        tariff_indexes=1, rollover=True,
    )
    sets = batch.encode_key_changes(changes, cipher, status=batch.check_key_changes(…))

    # Decode.
    said = batch.decode(tokens.digits, cipher)      # said.status, said.token_class, said.subclass
    said.field("tid"), batch.amount_values(said.field("amount"))

==========================  =====================================================================
module                      what it does
==========================  =====================================================================
``status``                  the numbers that stand for the scalar core's errors
``arrays``                  arguments checked as a whole, and cut into chunks
``meter_numbers``           DRNs and PANs
``token_identifiers``       times, and the next free identifier
``amounts``                 quantities in 16 bits
``derivation``, ``keys``    decoder keys
``contents``, ``canonical`` what tokens say, and what they must not
``crc``, ``decimal``        checksums; 66-bit numbers to 20 digits
``codec``                   contents to digits and back
``key_change``, ``…_check`` key change sets, and which may not be issued
``ciphers``                 EA07 (``sta``, ``circuit``, ``bit_planes``), EA09 (``dea``), EA11
                            (``misty1``)
==========================  =====================================================================
"""

from sts.batch.amounts import (
    AmountCodes,
    CurrencyAmountCodes,
    CurrencyValues,
    amount_values,
    currency_values,
    encode_amounts,
    encode_currency_amounts,
    largest_amounts_at_most,
    largest_currency_amounts_at_most,
)
from sts.batch.arrays import CHUNK_ROWS
from sts.batch.ciphers import Cipher, new_cipher
from sts.batch.codec import Tokens, decode, encode
from sts.batch.contents import Contents, pack, transfer_credits, transfer_currency_credits
from sts.batch.derivation import KeyAttributeColumns, derive_decoder_keys
from sts.batch.key_change import (
    NOT_SENT,
    KeyChanges,
    KeyChangeTokens,
    decode_key_changes,
    encode_key_changes,
    key_change_contents,
)
from sts.batch.key_change_check import NO_ALGORITHM, KeyStateColumns, check_key_changes
from sts.batch.keys import DecoderKeys
from sts.batch.meter_numbers import (
    DrnColumns,
    Drns,
    MeterPans,
    drns_from_serials,
    parse_meter_numbers,
    split_drns,
)
from sts.batch.status import Status, first_status
from sts.batch.token_identifiers import (
    NO_TID,
    Moments,
    Tids,
    datetimes_from_tids,
    expiry_status,
    next_token_identifiers,
    tids_from_datetimes,
)

__all__ = [
    "CHUNK_ROWS",
    "NOT_SENT",
    "NO_ALGORITHM",
    "NO_TID",
    "AmountCodes",
    "Cipher",
    "Contents",
    "CurrencyAmountCodes",
    "CurrencyValues",
    "DecoderKeys",
    "DrnColumns",
    "Drns",
    "KeyAttributeColumns",
    "KeyChangeTokens",
    "KeyChanges",
    "KeyStateColumns",
    "MeterPans",
    "Moments",
    "Status",
    "Tids",
    "Tokens",
    "amount_values",
    "check_key_changes",
    "currency_values",
    "datetimes_from_tids",
    "decode",
    "decode_key_changes",
    "derive_decoder_keys",
    "drns_from_serials",
    "encode",
    "encode_amounts",
    "encode_currency_amounts",
    "encode_key_changes",
    "expiry_status",
    "first_status",
    "key_change_contents",
    "largest_amounts_at_most",
    "largest_currency_amounts_at_most",
    "new_cipher",
    "next_token_identifiers",
    "pack",
    "parse_meter_numbers",
    "split_drns",
    "tids_from_datetimes",
    "transfer_credits",
    "transfer_currency_credits",
]
