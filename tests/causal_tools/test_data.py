"""Files as people have them: other encodings and separators, broken headers, and things that are no table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from causal_tools.data import describe_columns, read_table, read_text
from causal_tools.errors import DataFileError


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_semicolons_and_decimal_commas_are_read_as_numbers(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "dose.csv", "dose;y\n1,5;2\n2,25;3\n-0,5;4\n"))
    assert table.frame["dose"].tolist() == [1.5, 2.25, -0.5]
    assert any("decimal commas" in note and "dose" in note for note in table.notes)


def test_a_decimal_comma_file_is_not_taken_for_comma_separated(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "a.csv", "a;b;c\n1,5;2,5;3,5\n1,6;2,6;3,6\n"))
    assert list(table.frame.columns) == ["a", "b", "c"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_accents_survive_every_usual_encoding(tmp_path: Path, encoding: str) -> None:
    text = "região,größe,café\n" + "São Paulo,1,oui\nMünchen,2,não\n" * 20
    table = read_table(written(tmp_path, "a.csv", text.encode(encoding)))
    assert list(table.frame.columns) == ["região", "größe", "café"]
    assert set(table.frame["região"]) == {"São Paulo", "München"}
    assert any("not UTF-8" in note for note in table.notes) == (encoding in ("latin-1", "cp1252"))


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
def test_the_separator_is_found(tmp_path: Path, separator: str) -> None:
    rows = [["name", "t", "y"], ['"Doe, J."', "1", "2"], ['"Roe; K|L"', "0", "3"]]
    table = read_table(written(tmp_path, "a.txt", "\n".join(separator.join(row) for row in rows)))
    assert table.frame["y"].tolist() == [2, 3]
    assert table.frame["name"].tolist() == ["Doe, J.", "Roe; K|L"]


def test_comment_lines_above_the_header_are_skipped_and_said(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "a.csv", "# made in 2024, by hand\n\na,b\n1,2\n3,4\n"))
    assert table.frame.to_dict("list") == {"a": [1, 3], "b": [2, 4]}
    assert any("skipped" in note for note in table.notes)


def test_row_names_without_a_header_do_not_shift_the_columns(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "r.csv", "t,y\nr1,0,5\nr2,1,7\n"))
    assert table.frame.to_dict("list") == {"row_name": ["r1", "r2"], "t": [0, 1], "y": [5, 7]}


def test_a_separator_at_the_end_of_each_row_does_not_shift_the_columns(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "r.csv", "t,y\n0,5,\n1,7,\n"))
    assert table.frame.to_dict("list") == {"t": [0, 1], "y": [5, 7]}


def test_rows_that_end_early_are_said(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "a.csv", 'said,t,y\n"fine, so\nfar",1,2\nnot\nso,0,5\ngood,1,3\n\n'))
    assert table.frame["y"].isna().tolist() == [False, True, False, False]
    assert any(note.startswith("1 row(s) hold fewer cells than the header") for note in table.notes)


@pytest.mark.parametrize("mark", ["NA ", "na", "Null", "#DIV/0!"])
def test_a_mark_for_missing_makes_no_text_of_numbers(tmp_path: Path, mark: str) -> None:
    table = read_table(written(tmp_path, "a.csv", f"a,b\n1 ,2\n{mark},3\n4.5 ,5\n"))
    assert table.frame["a"].isna().tolist() == [False, True, False]
    assert table.kinds["a"] == "binary"


def test_blanks_behind_a_mark_for_missing_make_no_level(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "a.csv", "arm,y\nnew ,1\nNA ,2\nold ,3\n"))
    assert table.frame["arm"].dropna().tolist() == ["new", "old"]


def test_none_is_a_level_of_text_and_a_gap_among_numbers(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "a.csv", "drug,age\nNone,None\naspirin,30\nNone,NA\n"))
    assert table.frame["drug"].tolist() == ["None", "aspirin", "None"]
    assert table.frame["age"].isna().tolist() == [True, False, True]
    assert any("'age'" in note for note in table.notes)


def test_excel_and_parquet_give_what_the_csv_gives(tmp_path: Path) -> None:
    frame = pd.DataFrame({"t": [0, 1, 1], "y": [1.5, np.nan, 3.0], "g": ["a", "b", None]})
    frame.to_excel(tmp_path / "a.xlsx", index=False)
    frame.to_parquet(tmp_path / "a.parquet")
    frame.to_csv(tmp_path / "a.csv", index=False)
    tables = [read_table(tmp_path / f"a.{ending}").frame for ending in ("xlsx", "parquet", "csv")]
    for table in tables:
        assert table["t"].tolist() == [0, 1, 1]
        assert table["y"].isna().tolist() == [False, True, False]
        assert table["g"].dropna().tolist() == ["a", "b"]


def test_none_in_a_workbook_is_a_level_of_text_and_a_gap_among_numbers(tmp_path: Path) -> None:
    pd.DataFrame({"drug": ["None", "aspirin", "None"], "age": ["None", 30, 41.5]}).to_excel(
        tmp_path / "a.xlsx", index=False
    )
    table = read_table(tmp_path / "a.xlsx")
    assert table.frame["drug"].tolist() == ["None", "aspirin", "None"]
    assert table.frame["age"].isna().tolist() == [True, False, False]
    assert table.frame["age"].tolist()[1:] == [30, 41.5]
    assert any("'age'" in note for note in table.notes)


def test_infinite_numbers_become_missing_and_are_said(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "a.csv", "a,b\n1,inf\n2,3\n"))
    assert table.frame["b"].isna().tolist() == [True, False]
    assert any("infinite" in note for note in table.notes)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("lung.csv", b"", "lung.csv is empty: it has no header and no rows"),
        ("blank.csv", b"\n \n\n", "is empty"),
        ("head.csv", b"a,b,c\n", "but no rows"),
        ("twice.csv", b"a,b,a\n1,2,3\n", "several columns named 'a'"),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "a picture"),
        ("noise.csv", bytes(range(256)) * 20, "binary"),
        ("book.csv", b"PK\x03\x04abcdef", "Excel or ZIP"),
        ("letter.csv", b"Dear sir\nthis is not a table at all\nyours\n", "only one column"),
        ("one.csv", b"age\n1\n2\n3\n", "only one column"),
        ("ragged.csv", b"a,b\n1,2\n1,2,3,4\n", "line 3 has 4 fields"),
        ("first.csv", b"name,pay,sick\nRoe, Jo,3000,1\nAnn,2000,0\nBob,2500,1\n", "has more than its 3 fields"),
        ("bare.csv", b"1,2,3\n4,5,6\n", "no header"),
        ("bad.parquet", b"PAR1 but not really", "not a readable Parquet file"),
        ("bad.xlsx", b"no workbook", "not a readable Excel workbook"),
        ("old.xls", b"anything", "'.xls'"),
        ("no_ending", b"a,b\n1,2\n", "ending"),
        ("page.csv", b"<!DOCTYPE html><html></html>", "a web page"),
    ],
)
def test_what_is_no_table_is_refused_in_one_sentence(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    with pytest.raises(DataFileError) as refusal:
        read_table(written(tmp_path, name, content))
    assert said in str(refusal.value)
    assert name in str(refusal.value)


def test_a_missing_file_suggests_its_neighbour_and_a_folder_is_named(tmp_path: Path) -> None:
    written(tmp_path, "trial.csv", "a,b\n1,2\n")
    with pytest.raises(DataFileError, match=r"did you mean trial\.csv"):
        read_table(tmp_path / "trail.csv")
    with pytest.raises(DataFileError, match="is a directory"):
        read_table(tmp_path)


def test_a_file_without_read_permission_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, "a.csv", "a,b\n1,2\n")

    def denied(_: Path) -> bytes:
        raise PermissionError("denied")

    monkeypatch.setattr(Path, "read_bytes", denied)
    with pytest.raises(DataFileError, match="permission denied"):
        read_table(path)


def test_kinds_tell_identifiers_constants_and_categories_apart() -> None:
    rows = 40
    frame = pd.DataFrame(
        {
            "patient_id": np.arange(1000, 1000 + rows)[::-1],
            "row": range(rows),
            "name": [f"p{row}" for row in range(rows)],
            "site": ["a", "b", "c", "d"] * 10,
            "sex": ["f", "m"] * 20,
            "same": 7,
            "gone": np.nan,
            "children": [0, 1, 2, 3] * 10,
            "age": np.linspace(20, 60, rows),
            "on": [True, False] * 20,
            "when": pd.date_range("2024-01-01", periods=rows),
            "visit": pd.to_datetime(["2024-01-01", "2024-02-01"] * 20),
        }
    )
    assert describe_columns(frame) == {
        "patient_id": "identifier",
        "row": "identifier",
        "name": "identifier",
        "site": "categorical",
        "sex": "binary",
        "same": "constant",
        "gone": "empty",
        "children": "discrete",
        "age": "continuous",
        "on": "binary",
        "when": "date",
        "visit": "date",
    }


@pytest.mark.parametrize("written_as", ["{:,.0f}", "${:,.0f}", "{:.1f}%", "€ {:,.2f}"])
def test_clothed_numbers_are_numbers_and_it_is_said(tmp_path: Path, written_as: str) -> None:
    incomes = [812, 3994, 12500, 999, 1000, 45, 70, 5]
    texts = [written_as.format(income) for income in incomes]
    pd.DataFrame({"income": texts, "y": range(8)}).to_csv(tmp_path / "a.csv", index=False)
    table = read_table(tmp_path / "a.csv")
    assert table.frame["income"].tolist() == incomes
    assert any("'income' was read as numbers" in note for note in table.notes)


def test_thousands_beside_small_numbers_are_no_decimal_commas(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "a.csv", "income;y\n3,994;1\n812;2\n1,250;3\n77;4\n"))
    assert table.frame["income"].tolist() == [3994, 812, 1250, 77]


def test_decimals_dates_durations_and_zones_of_parquet_are_read(tmp_path: Path) -> None:
    from datetime import date, timedelta
    from decimal import Decimal

    frame = pd.DataFrame(
        {
            "price": [Decimal("1.5"), Decimal("2.25"), None],
            "day": [date(2024, 1, 2), date(2024, 3, 4), date(2024, 5, 6)],
            "spent": [timedelta(seconds=90), timedelta(minutes=2), timedelta(hours=1)],
            "at": pd.to_datetime(["2024-01-01 12:00", "2024-01-02 12:00", "2024-01-03 12:00"]).tz_localize(
                "Europe/Paris"
            ),
        }
    )
    frame.to_parquet(tmp_path / "a.parquet")
    read = read_table(tmp_path / "a.parquet").frame
    assert read["price"].tolist()[:2] == [1.5, 2.25] and np.isnan(read["price"][2])
    assert read["day"][1] == pd.Timestamp("2024-03-04")
    assert read["spent"].tolist() == [90, 120, 3600]
    assert read["at"][0] == pd.Timestamp("2024-01-01 11:00")


def test_a_parquet_index_that_repeats_a_column_is_read_once(tmp_path: Path) -> None:
    frame = pd.DataFrame({"age": [30, 41, 52], "site": ["a", "b", "b"], "y": [1.5, 2.5, np.nan]})
    frame.set_index("age", drop=False).to_parquet(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(read_table(tmp_path / "a.parquet").frame, frame, check_dtype=False)
    frame.set_index(["site", "age"]).set_index("y", drop=False, append=True).to_parquet(tmp_path / "b.parquet")
    assert sorted(read_table(tmp_path / "b.parquet").frame.columns) == ["age", "site", "y"]


def test_a_parquet_index_that_contradicts_its_column_is_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame({"age": [30, 41], "y": [1, 2]}, index=pd.Index([1, 2], name="age"))
    frame.to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataFileError, match="several columns named 'age'"):
        read_table(tmp_path / "a.parquet")


@pytest.mark.parametrize("word", ["-", "--", "unknown", "None"])
def test_thousands_beside_a_word_for_missing_are_numbers(tmp_path: Path, word: str) -> None:
    pd.DataFrame({"income": ["3,023", "5,101", word, "812"], "y": range(4)}).to_csv(tmp_path / "a.csv", index=False)
    table = read_table(tmp_path / "a.csv")
    pd.testing.assert_series_equal(table.frame["income"], pd.Series([3023, 5101, np.nan, 812]), check_names=False)
    assert any("1 entries" in note and f"say {word.casefold()} were" in note for note in table.notes)
    assert any("thousands commas" in note for note in table.notes)


def test_a_column_of_nothing_but_words_for_missing_stays_text(tmp_path: Path) -> None:
    table = read_table(written(tmp_path, "a.csv", "arm,y\nNone,1\nNone,2\n"))
    assert table.frame["arm"].tolist() == ["None", "None"]


@pytest.mark.parametrize(
    ("texts", "said"),
    [
        (["$1", "€2", "$3"], "units $ and €"),
        (["0.02", "1%", "0.5"], "factor of 100"),
        (["5%", "12.5", "0"], "factor of 100"),
        (["5%", "$12", "-"], "units $ and %"),
    ],
)
def test_different_units_in_one_column_stay_text_and_it_is_said(tmp_path: Path, texts: list[str], said: str) -> None:
    pd.DataFrame({"pay": texts, "y": range(3)}).to_csv(tmp_path / "a.csv", index=False)
    table = read_table(tmp_path / "a.csv")
    assert table.frame["pay"].tolist() == texts
    assert any("'pay' was left as text" in note and said in note for note in table.notes)


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["$1", "2", "1,003$"], [1, 2, 1003]),
        (["€ 1.50", "2", "-€3"], [1.5, 2, -3]),
        (["5%", "0", "12.5%"], [5, 0, 12.5]),
    ],
)
def test_one_unit_beside_bare_numbers_of_the_same_scale_is_read(
    tmp_path: Path, texts: list[str], numbers: list[float]
) -> None:
    pd.DataFrame({"pay": texts, "y": range(3)}).to_csv(tmp_path / "a.csv", index=False)
    assert read_table(tmp_path / "a.csv").frame["pay"].tolist() == numbers


def numeric_rows(header: str, rows: int = 300) -> str:
    width = header.count(";") + 1
    numbers = np.random.default_rng(0).normal(20, 5, (rows, width)).round(2)
    return "\n".join([header, *(";".join(map(str, row)) for row in numbers)])


@pytest.mark.parametrize(
    "header",
    [
        "temp °C;fertiliser;yield kg",
        "site;temperature [°C];dose µg/l;yield",
        "Temp °C;Düngung;Ertrag",
        "plot;NO3 µg/l;limed;pH",
        "sömn;medicin;smärta",
        "soil m²;N µg;T °C;crop",
        "Größe;ÄÖÜ;Maß",
        "l’âge;cœur;créée",
    ],
)
def test_a_few_western_letters_over_many_numbers_are_western(tmp_path: Path, header: str) -> None:
    table = read_table(written(tmp_path, "a.csv", numeric_rows(header).encode("cp1252")))
    assert list(table.frame.columns) == header.split(";")
    assert "the file is not UTF-8; it was read as cp1252" in table.notes


@pytest.mark.parametrize(
    ("encoding", "header", "places"),
    [
        ("cp1250", "wiek;płeć;ból", ["Łódź", "małopolskie", "śląskie", "świętokrzyskie", "mężczyzna"]),
        ("cp1250", "věk;kraj;léčba", ["Jihočeský", "Plzeňský", "Královéhradecký", "Středočeský", "muž"]),
        ("cp949", "나이;도시;통증", ["서울", "부산", "대구", "남자", "여자"]),
        ("cp932", "年齢;都市;痛み", ["東京", "大阪", "テスト", "治療", "男性"]),
        ("gbk", "年龄;城市;疼痛", ["北京", "上海", "广州", "治疗", "男性"]),
        ("big5", "年齡;城市;疼痛", ["台北", "高雄", "台中", "治療", "男性"]),
        ("cp1252", "aldur;staður;þrýstingur", ["Reykjavík", "Ísafjörður", "Akureyri", "meðferð", "kona"]),
        ("cp1252", "edad;región;presión", ["Cádiz", "Logroño", "León", "¿quién?", "varón"]),
    ],
)
def test_many_words_that_make_sense_in_one_encoding_alone_are_read_in_it(
    tmp_path: Path, encoding: str, header: str, places: list[str]
) -> None:
    rows = [f"{20 + row % 50};{places[row % 5]};{row / 7:.2f}" for row in range(300)]
    table = read_table(written(tmp_path, "a.csv", "\n".join([header, *rows]).encode(encoding)))
    assert list(table.frame.columns) == header.split(";")
    assert set(table.frame.iloc[:, 1]) == set(places)


@pytest.mark.parametrize("sign", ["\u2028", "\u2029", "\x85", "\x0c"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_only_line_ends_divide_rows_below_a_comment(tmp_path: Path, sign: str, line_end: str) -> None:
    lines = ["# made by hand", "t,y,note", f"0,1,left{sign}right", "1,2,plain", ""]
    table = read_table(written(tmp_path, "a.csv", line_end.join(lines)))
    assert table.frame.to_dict("list") == {"t": [0, 1], "y": [1, 2], "note": [f"left{sign}right", "plain"]}


@pytest.mark.parametrize(
    ("above", "skipped"),
    [
        ("Wages study 2020\n", 1),
        ("Wages study 2020\nMinistry of Labour\n\n", 3),
        ("# draft\nWages study\r\n", 2),
        ("Wages, 2020\n", 1),
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t", " "])
def test_a_title_above_a_header_is_skipped_and_said(tmp_path: Path, above: str, skipped: int, separator: str) -> None:
    rows = [["age", "sex", "wage", "t"], ["30", "f", "1.5", "0"], ["41", "m", "2.5", "1"], ["52", "f", "3", "0"]]
    text = above + "\n".join(separator.join(row) for row in rows)
    table = read_table(written(tmp_path, "a.csv", text))
    assert list(table.frame.columns) == rows[0]
    assert table.frame["wage"].tolist() == [1.5, 2.5, 3]
    assert any(f"{skipped} line(s)" in note and "Wages" in note for note in table.notes)


@pytest.mark.parametrize(
    "content", ["age\n1,5\n2,5\n", "notes\nhello, world\nyes, no\n", "place\nParis, 3\nRome, 4\n", "x\n1 2\n3 4\n"]
)
def test_one_column_whose_values_hold_a_separator_is_no_title_over_a_table(tmp_path: Path, content: str) -> None:
    with pytest.raises(DataFileError, match=r"only one column.*if that line is a title, delete it"):
        read_table(written(tmp_path, "a.csv", content))


def test_a_ragged_row_below_a_title_is_named_by_its_line_in_the_file(tmp_path: Path) -> None:
    rows = ["Wages study", "age,wage", *["30,5"] * 200, "31,5,6,7"]
    with pytest.raises(DataFileError, match="line 203 has 4 fields, not 2"):
        read_table(written(tmp_path, "a.csv", "\n".join(rows)))


@pytest.mark.parametrize(
    ("header", "rows", "first"),
    [
        ("Alter, Jahre;Schulung, Kurs;Lohn, EUR", ["34,5;0,0;3023,25", "58,5;1,0;5101,25"], [34.5, 58.5]),
        ("Alter, Jahre;Ort;Lohn, EUR", ["34,5;Bonn;3023,25", "58,5;Ulm;5101,25"], [34.5, 58.5]),
        ("Alter, Jahre;Ort;Lohn, EUR", ["34,5;Bonn, Mitte;3023,25", "58,5;Ulm, Ost;5101,25"], [34.5, 58.5]),
        ("Preis, EUR;Stück", ["34,50 €;2", "58,50 €;3"], None),
        ("age, years\tpay, EUR", ["34.5\t3,023.25", "58.5\t5,101.25"], [34.5, 58.5]),
    ],
)
def test_a_comma_in_names_and_numbers_does_not_divide_columns(
    tmp_path: Path, header: str, rows: list[str], first: list[float] | None
) -> None:
    table = read_table(written(tmp_path, "a.csv", "\n".join([header, *rows, *rows])))
    assert list(table.frame.columns) == header.split("\t" if "\t" in header else ";")
    assert first is None or table.frame.iloc[:, 0].tolist() == first * 2


def test_an_ordered_categorical_of_texts_keeps_its_order_so_that_it_is_compared_in_it(tmp_path: Path) -> None:
    arm = pd.Categorical(["new", "old ", None, "new"] * 25, ["old ", "new"], ordered=True)
    grade = pd.Categorical(["10", "2", "2", "10"] * 25, ["2", "10"], ordered=True)
    pd.DataFrame({"arm": arm, "grade": grade, "y": range(100)}).to_parquet(tmp_path / "trial.parquet")
    frame = read_table(tmp_path / "trial.parquet").frame
    assert list(frame["arm"].cat.categories) == ["old", "new"]
    assert frame["arm"].isna().sum() == 25
    assert frame["grade"].tolist()[:2] == [10, 2]  # numbers have an order of their own


def test_halves_of_characters_in_a_text_are_no_fault() -> None:
    assert read_text("a,b\nx\ud800,1\ny,2\n", "a.csv").frame["a"].tolist() == ["x?", "y"]
