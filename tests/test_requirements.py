"""No clause of the specification is only words: docs/requirements.md says what checks each of them."""

from __future__ import annotations

from requirement_table import PAGE, Mark, clauses, marks, marks_in, page

from llb_conformance.corpus import corpus
from llb_conformance.suite import suite

SOURCE = """
@pytest.mark.parametrize("x", [1])
@pytest.mark.requirement("MU-1", "INPUT-2")
def test_two(): ...

@pytest.mark.requirement("MU-2")
class TestClass:
    @pytest.mark.requirement(*more)
    def test_computed(self): ...

@other.requirement("MU-3")
def test_other(): ...
"""


def test_every_clause_has_a_case_or_a_test() -> None:
    checked = {item.requirement for item in corpus()} | {mark.clause for mark in marks()}
    checked |= {clause for case in suite() for clause in case.requirements}
    assert [clause for clause in clauses() if clause not in checked] == []


def test_every_mark_names_a_clause() -> None:
    known = set(clauses())
    assert [mark for mark in marks() if mark.clause not in known] == []


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python tests/requirement_table.py"


def test_marks_are_read_off_the_source() -> None:
    assert sorted(marks_in(SOURCE, "a.py"), key=lambda mark: mark.test) == [
        Mark("MU-2", "a.py::TestClass"),
        Mark("", "a.py::test_computed"),
        Mark("MU-1", "a.py::test_two"),
        Mark("INPUT-2", "a.py::test_two"),
    ]


def test_clauses_are_read_off_the_text() -> None:
    assert clauses("**MU-1** One.\n\nText of **MU-9**.\n**MU-2** Two.\n") == ("MU-1", "MU-2")
