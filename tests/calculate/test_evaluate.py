"""Arrays of numbers, one line per operation against NumPy; `facts.toml` has all other values."""

import math

import numpy as np
import pytest

from sheetgpt.calculate.environment import Environment
from sheetgpt.calculate.evaluate import evaluate
from sheetgpt.calculate.values import Error, Sheet, Sheets
from sheetgpt.formula.cells import Area
from sheetgpt.formula.parse import DEEPEST, parse

RANDOM = np.random.default_rng(0)
A, B = RANDOM.uniform(0.1, 4, (3, 5)), RANDOM.uniform(0.1, 4, (3, 5))
W, V = RANDOM.normal(size=(5, 2)), RANDOM.normal(size=(1, 5))
NAMES = {
    "a": Area("t", 1, 1, 3, 5),
    "b": Area("t", 4, 1, 6, 5),
    "w": Area("t", 7, 1, 11, 2),
    "v": Area("t", 12, 1, 12, 5),
}


@pytest.fixture
def environment():
    sheets = Sheets({"t": Sheet(12, 5)})
    for name, values in (("a", A), ("b", B), ("w", W), ("v", V)):
        sheets.write(NAMES[name], values)
    return Environment(sheets)


def exactly(function):
    """A function of one number on every number of an array."""
    return np.vectorize(function, otypes=[float])


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("a+b", A + B),
        ("a-v", A - V),
        ("2*a", 2 * A),
        ("a/b", A / B),
        ("a^b", A**B),
        ("v^3", V**3),
        ("-a", -A),
        ("a%", A / 100),
        ("EXP(v)", np.exp(V)),
        ("LN(a)", np.log(A)),
        ("SQRT(a)", np.sqrt(A)),
        ("TANH(v)", np.tanh(V)),
        ("ABS(v)", np.abs(V)),
        ("INT(v)", np.floor(V)),
        ("MOD(v,0.7)", np.mod(V, 0.7)),
        ("ROUND(a,0)", np.round(A)),
        ("NORMSDIST(v)", exactly(lambda x: (1 + math.erf(x / math.sqrt(2))) / 2)(V)),
        ("SUM(a,v)", A.sum() + V.sum()),
        ("AVERAGE(a)", A.mean()),
        ("VARP(a)", A.var()),
        ("MAX(a,b)", max(A.max(), B.max())),
        ("MIN(a,b)", min(A.min(), B.min())),
        ("COUNT(a,v)", 20),
        ("LARGE(a,4)", np.sort(A.ravel())[-4]),
        ("SMALL(a,4)", np.sort(A.ravel())[3]),
        ("SUMPRODUCT(a,b)", (A * B).sum()),
        ('COUNTIF(a,">1.5")', (A > 1.5).sum()),
        ("MMULT(a,w)", A @ W),
        ("MMULT(v,w)", V @ W),
        ("TRANSPOSE(a)", A.T),
        ("MMULT(a,TRANSPOSE(b))", A @ B.T),
        ("INDEX(a,2,0)", A[1:2]),
        ("INDEX(a,0,4)", A[:, 3:4]),
        ("INDEX(a*b,3,5)", A[2, 4] * B[2, 4]),
        ("MATCH(MAX(v),v,0)", V.argmax() + 1),
        ("IF(a>b,a,b)", np.maximum(A, B)),
        ("a*(a>b)", A * (A > B)),
        ("IFERROR(LN(v),0)", np.where(V > 0, np.log(np.abs(V)), 0)),
        ("EXP(v-MAX(v))/SUM(EXP(v-MAX(v)))", np.exp(V) / np.exp(V).sum()),
        ("(v-AVERAGE(v))/SQRT(VARP(v)+1E-5)", (V - V.mean()) / np.sqrt(V.var() + 1e-5)),
        ("ROWS(a)*10+COLUMNS(a)", 35),
        ("CHOOSE(2,a,b)", B),
        ("PI()", np.pi),
    ],
)
def test_against_numpy(environment, formula, expected):
    found = evaluate(parse(formula, "t", NAMES), environment)
    assert np.shape(found) == np.shape(expected)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("a>b", A > B),
        ("a<=v", A <= V),
        ("a=a", A == A),
        ("NOT(a<>1)", A != A),
        ("ISNUMBER(a)", A == A),
        ("ISTEXT(a)", A != A),
    ],
)
def test_truth_values_against_numpy(environment, formula, expected):
    assert evaluate(parse(formula, "t", NAMES), environment).tolist() == expected.tolist()


@pytest.mark.parametrize("formula", ["EXP(a*10000)", "MMULT(a*1E300,w*1E300)", "a*1E308*100"])
def test_numbers_too_large_are_errors_and_no_warnings(environment, formula):
    found = np.atleast_1d(np.array(evaluate(parse(formula, "t", NAMES), environment), dtype=object))
    assert set(found.ravel()) == {Error.NUM}


def test_zero_to_the_power_of_zero_is_an_error_in_arrays_too(environment):
    environment.sheets.write(Area("t", 1, 1, 1, 5), np.array([[0.0, 1, 2, 3, 4]]))
    found = evaluate(parse("A1:E1^A1:E1", "t", {}), environment)
    assert found.tolist() == [[Error.NUM, 1.0, 4.0, 27.0, 256.0]]


def test_a_branch_that_is_not_taken_is_not_computed(environment):
    nowhere = "IF(1=1,5,SUM(nowhere!A1:ZZ100000))"
    assert evaluate(parse(nowhere, "t", NAMES), environment) == 5


def test_a_tab_that_is_not_there(environment):
    assert evaluate(parse("nowhere!A1+1", "t", NAMES), environment) is Error.REF


def test_formulas_as_deep_as_they_may_be(environment):
    deep = DEEPEST - 1
    assert evaluate(parse("AND(" * deep + "1" + ")" * deep, "t", NAMES), environment) is True
    assert evaluate(parse("1" + "+1" * deep, "t", NAMES), environment) == deep + 1


def test_a_tree_for_all_tokens_has_no_value(environment):
    with pytest.raises(TypeError, match="is no formula"):
        evaluate("a", environment)
