"""What a job's own subject may be, said when the job is written."""

import time

import pytest
from pydantic import ValidationError

from nightmail_common.contract.job_definition import JobDefinition
from nightmail_common.contract.subject_template import parse_subject
from support.deadlines import scaled
from support.job_requests import job_request


@pytest.mark.parametrize(
    "subject",
    [
        "Sales",
        "100 % {sure}",
        "{{ job_name }}: {{ rows }} rows, {{ columns | join(', ') }}",
        "{{ scheduled_at.strftime('%d.%m.%Y') }}",
        "{% if rows == 0 %}nothing{% else %}{{ rows }}{% endif %}",
    ],
)
def test_a_subject_template_may_use_the_variables_of_a_run(subject: str) -> None:
    assert JobDefinition.model_validate(job_request(subject=subject)).subject == subject


@pytest.mark.parametrize(
    ("subject", "why"),
    [
        ("{{ job_name", "unexpected end of template"),
        ("{{ jobname }}", "not 'jobname'"),
        (
            "{{ rows | nonsense }}",
            "no filter 'nonsense'; the filters are default, first, join, last, length, lower, round,",
        ),
        ("{{ scheduled_at | date('%Y') }}", "a time is written {{ scheduled_at.strftime('%Y-%m-%d') }}"),
        ("{{ rows is nonsense }}", "no test 'nonsense'; the tests are boolean, callable, defined,"),
        ("{% for column in columns %}x{% endfor %}", "no For"),
        ("{{ 9 ** 9 }}", "no Pow"),
        ("{{ job_name.format(1) }}", "calls nothing but `strftime`"),
        ("{{" + "(" * 250 + "1" + ")" * 250 + "}}", "not a template"),
        ("{{ columns" + "|title" * 50 + " }}", "at most 40 expressions in each other"),
        ("two\nlines", "one line"),
    ],
)
def test_an_invalid_subject_template_is_refused(subject: str, why: str) -> None:
    with pytest.raises(ValidationError, match="subject") as refused:
        JobDefinition.model_validate(job_request(subject=subject))
    [error] = refused.value.errors()
    assert error["loc"] == ("subject",)
    assert why in error["msg"].replace("'end of template'", "end of template")


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("{{ columns" + "|title" * 150 + " }}", "at most 40 expressions in each other"),
        ("{{ rows" + "+rows" * 250 + " }}", "at most 40 expressions in each other"),
        ("{{ columns|title }}" * 201, "at most 200 filters"),
    ],
)
def test_a_message_that_is_slow_to_compile_is_refused_at_once(message: str, why: str) -> None:
    began = time.process_time()
    with pytest.raises(ValidationError, match=why):
        JobDefinition.model_validate(job_request(message=message))
    assert time.process_time() - began < scaled(0.3)


def test_filters_take_their_arguments() -> None:
    template = parse_subject(
        "{{ job_name | trim('-') | title }} {{ rows | round(1) }} {{ split_value | default('x', true) }}"
    )
    assert template.render(job_name="-it's a-b-", rows=3, split_value="") == "It's A-B 3 x"
