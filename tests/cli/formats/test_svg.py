"""The tables as a picture."""

import xml.etree.ElementTree as ElementTree


def words(result):
    """Parse the picture and return its text."""
    root = ElementTree.fromstring(result.data)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    return " ".join("".join(root.itertext()).replace("\u00a0", " ").split())


def test_the_picture_is_xml_and_holds_words_numbers_and_the_command(done, tiny):
    result = done("run", "John likes tea", "-w", tiny, "-f", "svg", "--digits", "3")
    shown = words(result)
    for piece in ("John", "(john)", "likes", "tea", "(<unk>)", "Hidden state", "Cell state",
                  'lstm run "John likes tea"'):  # fmt: skip
        assert piece in shown
    assert "\x1b" not in result.stdout


def test_the_picture_does_not_change_with_the_environment(done, terminal):
    given = ("run", "((", "-w", "brackets", "-f", "svg")
    plain = done(*given).data
    assert done(*given, env={"NO_COLOR": "1", "COLUMNS": "40"}).data == plain
    assert terminal(*given, columns=160).data == plain


def test_markup_and_angle_brackets_in_a_text_are_text(done):
    shown = words(done("run", "<[b]&", "-w", "brackets", "-f", "svg"))
    assert "<[b]&" in shown


def test_several_sequences_stand_in_one_picture(done):
    shown = words(done("run", "((((", "))))", "-w", "brackets", "-f", "svg"))
    assert "((((" in shown
    assert "))))" in shown
