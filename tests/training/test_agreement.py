"""Agreement figures against values worked out by hand."""

import pytest

from training.agreement import agreement_of_labels, measure_agreement
from training.annotation import annotation_tasks, import_annotations
from training.queries import make_queries
from training.topic_library import load_topics


def _labels(**by_annotator):
    n_items = len(next(iter(by_annotator.values())))
    return {str(i): {name: said[i] for name, said in by_annotator.items() if said[i] != "."} for i in range(n_items)}


def test_kappa_and_alpha_of_two_annotators():
    # 10 items: both yes on 4, both no on 3, A yes and B no on 2, A no and B yes on 1.
    found = agreement_of_labels("verdict", _labels(A="yyyynnnyyn", B="yyyynnnnny"))
    # A says yes 6 times, B 5 times: expected agreement .6*.5 + .4*.5 = .5; kappa = (.7 - .5) / (1 - .5) = .4
    assert found.share_equal == pytest.approx(0.7)
    assert found.kappa == pytest.approx(0.4)
    # 20 judgements, 11 yes and 9 no: observed disagreement 6/20; expected 2*11*9/(20*19) = 198/380
    assert found.alpha == pytest.approx(1 - 0.3 / (198 / 380))
    assert (found.n_items, found.n_shared, found.n_annotators) == (10, 10, 2)


def test_alpha_of_three_annotators_with_missing_judgements():
    # Units with two or more judgements: aa, ab, bbb (7 values: 3 a, 4 b); the fourth, a alone, does not count.
    found = agreement_of_labels("task", _labels(A="aaba", B="abb.", C="..b."))
    # observed disagreement: unit ab gives 2 ordered unequal pairs / (2 - 1), over 7 values; expected 2*3*4 / (7*6)
    assert found.alpha == pytest.approx(1 - (2 / 7) / (24 / 42))
    assert (found.n_items, found.n_shared, found.n_annotators) == (4, 3, 3)


def test_no_overlap_gives_no_figure_but_a_reason():
    found = agreement_of_labels("task", _labels(A="ab..", B="..ab"))
    assert (found.kappa, found.alpha, found.share_equal) == (None, None, None)
    assert "share no item" in found.kappa_reason
    assert "two annotators" in found.alpha_reason


def test_a_single_label_gives_no_figure_but_a_reason():
    found = agreement_of_labels("task", _labels(A="aaa", B="aaa"))
    assert (found.kappa, found.alpha, found.share_equal) == (None, None, 1.0)
    assert "one label" in found.kappa_reason
    assert "one label" in found.alpha_reason


def test_a_lone_annotator_gives_a_reason():
    assert agreement_of_labels("task", _labels(A="ab")).kappa_reason == "fewer than two annotators"


def test_table_over_annotations_counts_only_fields_that_a_task_has():
    items = [*make_queries("ATE", 3, 0, load_topics()), *make_queries("MA", 2, 0, load_topics())]
    tasks = annotation_tasks(items, {})
    verdict = {"from_name": "verdict", "to_name": "question", "type": "choices", "value": {"choices": ["accept"]}}
    for task in tasks:
        result = [*task["predictions"][0]["result"], verdict]
        task["annotations"] = [{"completed_by": who, "result": result} for who in (1, 2)]
    found = measure_agreement(import_annotations(tasks).items)
    assert found.fields["mediator"].n_items == 2
    assert found.fields["treatment"].n_items == 5
    assert found.fields["task"].kappa == pytest.approx(1.0)
    assert found.fields["verdict"].kappa is None
    row = found.table.set_index("field").loc["verdict"]
    assert row["kappa"] is None
    assert row["n_shared"] == 5


def test_no_annotations_give_an_empty_but_whole_table():
    found = measure_agreement([])
    assert (found.table["n_items"] == 0).all()
    assert found.table["alpha"].isna().all()
