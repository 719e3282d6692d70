"""What a job's own subject may be, said when the job is written."""

import pytest
from pydantic import ValidationError

from nightmail_common.contract.job_definition import JobDefinition
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
        ("{{ rows | nonsense }}", "No filter named 'nonsense'"),
        ("{% for column in columns %}x{% endfor %}", "no For"),
        ("{{ 9 ** 9 }}", "no Pow"),
        ("{{ job_name.format(1) }}", "no Call"),
        ("{{" + "(" * 250 + "1" + ")" * 250 + "}}", "not a template"),
        ("two\nlines", "one line"),
    ],
)
def test_an_invalid_subject_template_is_refused(subject: str, why: str) -> None:
    with pytest.raises(ValidationError, match="subject") as refused:
        JobDefinition.model_validate(job_request(subject=subject))
    [error] = refused.value.errors()
    assert error["loc"] == ("subject",)
    assert why in error["msg"].replace("'end of template'", "end of template")
