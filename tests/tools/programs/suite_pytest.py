import dataclasses
import warnings

import pytest


@pytest.fixture(params=["a", "b"])
def letter(request):
    yield request.param


@pytest.fixture
def number(letter):
    return ord(letter)


def test_fixture(letter, number):
    assert chr(number) == letter


@pytest.mark.parametrize("x,y", [(1, 1), (2, 4), (3, 10)], ids=str)
def test_square(x, y):
    assert x * x == y, "squares"


def test_compare_dicts():
    assert {"a": 1, "b": [1, 2, {"c": 3}]} == {"a": 1, "b": [1, 2, {"c": 4}], "d": 0}


def test_compare_text():
    assert "one\ntwo\n" * 3 == "one\ntwo\n" * 2 + "one\n2\n"


def test_calls():
    def f(x, *args, **kw):
        return [x, *args, kw]

    class P:
        value = 3

    assert f(P.value + 1, 2, k=3)[0] < 3 and not f(1)


@dataclasses.dataclass
class Point:
    x: int
    y: list


def test_dataclass():
    assert Point(1, [2]) == Point(1, [3])


def test_raises():
    with pytest.raises(ZeroDivisionError, match="division"):
        1 / 0
    with pytest.raises(KeyError) as info:
        {}["x"]
    assert info.value.args == ("x",)


def test_group():
    raise ExceptionGroup("several", [ValueError(1), ExceptionGroup("inner", [TypeError("t")])])


def test_chain():
    try:
        {}["missing"]
    except KeyError as e:
        raise RuntimeError("outer") from e


def test_output(capsys, tmp_path, monkeypatch):
    (tmp_path / "f").write_text("text")
    print((tmp_path / "f").read_text())
    assert capsys.readouterr().out == "text\n"
    monkeypatch.setenv("SOMETHING", "1")
    print("shown because it fails")
    assert False


def test_warns():
    warnings.warn("a warning that is shown")


@pytest.mark.xfail(reason="known")
def test_xfail():
    assert 0


@pytest.mark.skipif(True, reason="always")
def test_skip():
    assert 0


def test_approx():
    assert 0.1 + 0.2 == pytest.approx(0.3)
    assert [0.1, 2.0] == pytest.approx([0.1, 2.5])


class TestClass:
    def setup_method(self):
        self.items = []

    def test_one(self):
        self.items.append(1)
        assert self.items == [1]

    def test_two(self):
        assert self.items == [1, 2], f"{self.items!r}"
