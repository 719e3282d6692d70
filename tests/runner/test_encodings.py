"""The characters of text that is not UTF-8: the names of encodings, and what is recognised without one."""

import json

import pytest

from support.parsing import columns, parsed, refusal


@pytest.mark.parametrize(
    ("said", "sent", "value"),
    [
        ("iso-8859-1", "cp1252", "5 € “ü”"),
        ("latin-1", "latin-1", "5 £ ü"),
        ("iso-8859-9", "cp1254", "5 € ş"),
        ("shift_jis", "cp932", "①東京"),
        ("gb2312", "gb18030", "北京€"),
        ("euc-kr", "cp949", "서울똠"),
    ],
)
@pytest.mark.parametrize("option", ["charset", "encoding"])
def test_what_windows_adds_to_an_encoding_is_read_under_its_name(option: str, said: str, sent: str, value: str) -> None:
    assert columns(f"a;b\n1;{value}\n".encode(sent), **{option: said})["b"] == [value]


@pytest.mark.parametrize(
    ("value", "encoding"),
    [
        *(
            (value, "cp1252")
            for value in [
                *(
                    "5 €",
                    "20 °C",
                    "5 µm",
                    "½ l",
                    "Nº 5",
                    "2ª",
                    "x²",
                    "“x” – y",
                    "«a»",
                    "¿Qué?",
                    "¡Olé!",
                    "© A",
                    "Café – “x”",
                ),
                *("é", "Ö", "été", "Élé", "ça", "À côté", "Ñandú", "Þór", "Åø", "ÆØÅ", "ÄÖÜ", "Zoë", "Straße"),
            ]
        ),
        ("Müller", "cp850"),
    ],
)
def test_a_few_bytes_beyond_ascii_are_read_as_western_europe_writes_them(value: str, encoding: str) -> None:
    """Detection took some for two letters of Chinese, or one of Japanese."""
    table = parsed(f"a;b\n1;{value}\n".encode(encoding))
    assert table.frame["b"].tolist() == [value]
    # Another note is that of `5 €`, a number that is text.
    assert table.notes[0] == f"the data is not UTF-8 and was read as {encoding}; set encoding if letters look wrong"
    assert len(table.notes) == 1 + value.endswith("€")


WORDS = {
    "cp1250": [
        "Łódź Kraków Gdańsk Poznań Częstochowa Zielona Góra Zapłacone Wójcik Wiśniewski Żółć tak nie",
        "Praha Plzeň Ústí Žižkov Černý Dvořák Novák Zaplaceno Čeká ano ne Králové Jiří Řehoř",
        "Győr Pécs Szűcs Ödön Székesfehérvár Kovács Tóth Fizetve Függőben igen nem Kőszeg",
    ],
    "cp1251": ["Москва Казань Омск"],
    "cp1252": [
        "München Köln Düsseldorf Straße Größe Müller Jürgen überfällig Übersicht Berlin Hamburg",
        "Payé Annulé été Référence Élodie François Hélène Nîmes Orléans où déjà côté Paris Lyon",
        "España Muñoz Núñez Peña Málaga Córdoba García López Año Sí Teléfono Madrid no pagado",
        "São Conceição João Gonçalves Não Preço Número Açúcar Maçã Lisboa Évora Função",
        "København Århus Ærø Smørrebrød Søren Jørgensen Åse Næstved betalt Køge",
    ],
    "cp1253": ["Αθήνα Πάτρα Λάρισα Βόλος"],
    "cp1254": ["İstanbul Şişli Beşiktaş Kadıköy Ödendi Hayır Ankara İzmir Çağlar Yılmaz Gümüş Öğrenci"],
    "cp1255": ["ירושלים חיפה אשדוד כהן לוי שולם ממתין כן לא הזמנה מחסן מוצר מחיר סכום תאריך לקוח"],
    "cp1256": ["القاهرة الرياض جدة محمد مدفوع"],
    "koi8-r": ["Москва Казань Омск"],
    "gb18030": ["北京 上海 广州 深圳"],
    "big5": ["台北 高雄 台中 台南 新竹"],
    "cp932": ["東京 大阪 名古屋 札幌"],
    "cp949": ["서울 부산 인천 대구"],
}


@pytest.mark.parametrize(("encoding", "words"), [(name, words) for name, lists in WORDS.items() for words in lists])
def test_a_column_of_words_is_read_in_the_encoding_of_its_language(encoding: str, words: str) -> None:
    lines = "".join(f"{number};{word};{number * 7}\n" for number, word in enumerate(words.split(), 1))
    assert columns(f"id;name;sum\n{lines}".encode(encoding))["name"] == words.split()


@pytest.mark.parametrize("field", [bytes(range(128, 256)), b"\x89\x90\x81\x1a"])
def test_bytes_that_are_text_in_no_encoding_are_refused(field: bytes) -> None:
    assert "its encoding cannot be recognised; set encoding" in refusal(b"a;b\n1;" + field + b"\n", "csv")


@pytest.mark.parametrize(
    ("data", "expected", "lines"),
    [
        (b"\xef\xbb\xbfid,v\n1,2\n\xef\xbb\xbf3,4\n", {"id": [1, 3], "v": [2, 4]}, "1 line begins"),
        (b"id,v\r1,2\r\xef\xbb\xbf3,4\r\xef\xbb\xbf5,6\r", {"id": [1, 3, 5], "v": [2, 4, 6]}, "2 lines begin"),
        (b"sep=;\r\n\xef\xbb\xbfid;v\r\n1;2\r\n", {"id": [1], "v": [2]}, "1 line begins"),
        ("id,v\n1,2\n\ufeff3,4\n".encode("utf-16"), {"id": [1, 3], "v": [2, 4]}, "1 line begins"),
    ],
)
def test_byte_order_marks_of_joined_files_are_dropped_with_a_note(
    data: bytes, expected: dict[str, list[int]], lines: str
) -> None:
    assert columns(data) == expected
    assert f"{lines} with a byte order mark" in parsed(data).notes[0]


def test_a_byte_order_mark_inside_of_a_line_is_kept() -> None:
    data = "id,v\na\ufeff,ﾊ\n"
    assert columns(data) == {"id": ["a\ufeff"], "v": ["ﾊ"]}
    assert not parsed(data).notes


@pytest.mark.parametrize("option", ["charset", "encoding"])
@pytest.mark.parametrize(
    ("data", "encoding", "value", "is_noted"),
    [
        ("x,n\né,1\n".encode(), "iso-8859-1", "Ã©", True),
        ("x,n\né,1\n".encode(), "cp1252", "Ã©", True),
        ("x,n\né,1\n".encode(), "utf-8", "é", False),
        ("x,n\né,1\n".encode("cp1252"), "cp1252", "é", False),
        (b"x,n\ne,1\n", "iso-8859-1", "e", False),
    ],
)
def test_utf8_that_is_declared_as_another_encoding_is_a_note(
    data: bytes, encoding: str, value: str, is_noted: bool, option: str
) -> None:
    table = parsed(data, **{option: encoding})
    assert table.frame["x"].tolist() == [value]
    assert any(f"read as {encoding}" in note and "also UTF-8" in note for note in table.notes) == is_noted


@pytest.mark.parametrize("option", ["charset", "encoding"])
@pytest.mark.parametrize("sent", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_is_read_in_the_order_that_its_bytes_show(sent: str, option: str) -> None:
    """Without a mark Python assumes the order of the machine, and `a,b` becomes one column with a Chinese name."""
    assert columns("a,b\n1,é\n".encode(sent), **{option: "utf-16"}) == {"a": [1], "b": ["é"]}


@pytest.mark.parametrize("option", ["charset", "encoding"])
@pytest.mark.parametrize("said", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("text", ["a,b\n1,2\n", "a,b\n1,é\n\n"])
def test_utf8_that_is_declared_as_utf16_is_refused(text: str, said: str, option: str) -> None:
    assert "the data seems to be UTF-8, not UTF-" in refusal(text, **{option: said})


def test_utf16_that_does_not_show_its_order_is_refused() -> None:
    message = refusal("名,值\n北,京\n".encode("utf-16-be"), encoding="utf-16")
    assert "set encoding to utf-16-le or utf-16-be" in message


@pytest.mark.parametrize("charset", ["base64", "rot13", "hex", "undefined", "utf8mb4", ""])
def test_a_charset_that_is_no_encoding_of_text_is_a_note(charset: str) -> None:
    table = parsed("a,b\n1,é\n", charset=charset)
    assert table.frame["b"].tolist() == ["é"]
    assert table.notes == [f"the answer's charset {charset!r} is unknown and was ignored"]


def test_characters_in_halves_as_oracle_writes_them_are_joined_with_a_note() -> None:
    data = "a,b\n1,\ud83d\ude00 é\n".encode("utf-8", "surrogatepass")
    table = parsed(data)
    assert table.frame["b"].tolist() == ["😀 é"]
    assert "CESU-8" in table.notes[0]
    assert "mixes encodings" in refusal("a,b\n1,\ud83d é\n2,é\n".encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("options", [{}, {"charset": "utf-8"}])
@pytest.mark.parametrize("end", ["é", "€", "😀"])
def test_data_that_ends_within_a_character_is_cut_off(end: str, options: dict[str, str]) -> None:
    data = f"a,b\n1,ü\n2,{end}".encode()
    for missing in range(1, len(end.encode())):
        assert "seems to be cut off" in refusal(data[:-missing], **options)
    assert columns(data, **options)["b"] == ["ü", end]


def test_letters_that_were_lost_before_are_a_note() -> None:
    assert parsed("a,b\n1,x\n2,Z\ufffdrich\n").notes == [
        "line 3 has the character U+FFFD, which programs put in place of letters that they could not read; correct it at its source"
    ]


@pytest.mark.parametrize(
    "word", ["Müller", "naïve", "don’t", "20 °C", "Привет", "“quoted", "São", "À la carte", "Größe", "10 €"]
)
@pytest.mark.parametrize("wrong", ["cp1252", "latin-1"])
def test_text_that_was_encoded_twice_is_kept_with_a_note(word: str, wrong: str) -> None:
    twice = word.encode().decode(wrong)
    table = parsed(f"name,n\nx,1\n{twice},2\n")
    assert table.frame["name"].tolist() == ["x", twice]
    (note,) = table.notes
    assert note.startswith("line 3 has ")
    assert "read in a wrong encoding" in note


def test_text_that_was_encoded_twice_is_noted_in_escapes_of_json() -> None:
    (note,) = parsed(json.dumps([{"a": "M\u00c3\u00bcller"}]), "json").notes
    assert "read in a wrong encoding" in note


@pytest.mark.parametrize(
    "word",
    [
        "« LÀ »",
        "CAFÉ»",
        "„Spaß“",
        "IRMÃ”",
        "Ã",
        "ÂNGELA",
        "Ñandú",
        "Đà Nẵng",
        "NÃO",
        "Åse “x”",
        "Ã»",
        "Ängström – ÃÂ",
        "Привет",
        "20 °C",
    ],
)
def test_letters_that_such_text_begins_with_have_no_note(word: str) -> None:
    assert parsed(f"name,n\nx,1\n{word},2\n").notes == []
