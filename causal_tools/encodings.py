"""From a file's bytes to its text: which encoding it is in, and what is no text at all."""

from __future__ import annotations

import codecs
import re

from causal_tools.errors import DataFileError

SAMPLE_BYTES = 65_536
FEWEST_BYTES_AGAINST = 6
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
FOREIGN_STARTS = {
    b"PK\x03\x04": "an Excel or ZIP file",
    b"PAR1": "a Parquet file",
    b"\x89PNG": "a picture",
    b"%PDF": "a PDF document",
    b"\x1f\x8b": "a gzip archive",
    b"\xd0\xcf\x11\xe0": "an old Excel file",
    b"<!DO": "a web page",
    b"<htm": "a web page",
    b"{": "JSON",
    b"[": "JSON",
}
LETTERS = "àâäáãåæçéèêëíìîïñóòôöõøœúùûüÿß" + "ÀÂÄÁÃÅÆÇÉÈÊËÍÌÎÏÑÓÒÔÖÕØŒÚÙÛÜŸ"
SYMBOLS_IN_WORDS = "°·’µ"
SYMBOLS = SYMBOLS_IN_WORDS + "‘“”«»–—…•€£§²³¹½¼¾±×÷ºª¿¡®™©\xa0"
ACCENTED_WORD = re.compile(r"[A-Za-z]*[^\x00-\x7f][A-Za-z\x80-\uffff]*")
# a long run without an ASCII letter, a symbol between two letters, or a sign that no Western language is written with
NOT_WESTERN = re.compile(
    rf"[^\x00-\x7f]{{4}}|[A-Za-z{LETTERS}][^A-Za-z{LETTERS}{SYMBOLS_IN_WORDS}][A-Za-z{LETTERS}]|[^A-Za-z{LETTERS}{SYMBOLS}]"
)


def decode(raw: bytes, name: str) -> tuple[str, list[str]]:
    """The file's text, and a note when its encoding had to be detected.

    Raises:
        DataFileError: the bytes are not text.
    """
    for start, what in FOREIGN_STARTS.items():
        if raw.lstrip().startswith(start):
            raise DataFileError(
                f"{name} is not a delimited text table: it starts like {what}. "
                "Export the table as CSV, TSV, Parquet or .xlsx, with the matching file ending."
            )
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if raw.startswith(mark):
            try:
                return raw.decode(encoding), []
            except UnicodeDecodeError as error:
                raise DataFileError(
                    f"{name} announces {encoding} but does not hold it ({error.reason} at byte "
                    f"{error.start}). Save it as UTF-8."
                ) from error
    head = raw[:SAMPLE_BYTES]
    controls = sum(byte < 32 and byte not in b"\t\n\r\f" for byte in head)
    if controls > len(head) / 200:
        raise DataFileError(
            f"{name} is not a text table: it holds binary data. Give a CSV, TSV, Parquet or .xlsx file."
        )
    try:
        return raw.decode("utf-8"), []
    except UnicodeDecodeError:
        return _decode_legacy(raw, name)


def _decode_legacy(raw: bytes, name: str) -> tuple[str, list[str]]:
    from charset_normalizer import from_bytes

    try:
        western = raw.decode("cp1252")
    except UnicodeDecodeError:
        western = None
    if western is not None and not _hardly_western(western):
        return western, ["the file is not UTF-8; it was read as cp1252"]
    matches = from_bytes(raw)
    best = matches.best()
    if best is None:
        raise DataFileError(f"{name} is in no text encoding that could be recognised. Save it as UTF-8.")
    # where several code pages fit equally well, Windows-1252 is the usual one
    equal = any(match.encoding in ("cp1252", "latin_1") and match.chaos <= best.chaos for match in matches)
    if western is not None and equal:
        return western, ["the file is not UTF-8; it was read as cp1252"]
    return str(best), [f"the file is not UTF-8; it was read as {best.encoding}"]


def _hardly_western(text: str) -> bool:
    """Whether many of the words that a Windows-1252 reading gives could stand in no Western language.

    Guessers of encodings take a file of numbers whose header says °C for Chinese: a handful of bytes fits anything, so
    that it takes several impossible words, and a good part of all words with accents, to believe in another encoding.
    """
    accented = set(ACCENTED_WORD.findall(text))
    impossible = [word for word in accented if NOT_WESTERN.search(word)]
    bytes_against = sum(not letter.isascii() for word in impossible for letter in word)
    return bytes_against >= FEWEST_BYTES_AGAINST and len(impossible) > len(accented) / 4
