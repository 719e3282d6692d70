"""`nightmail up` as the only process of its control group, as systemd starts it: each run has a group, and doctor says so."""

import json
import subprocess
from pathlib import Path

from e2e.conftest import NIGHTMAIL, Nightmail
from support.control_groups import inside, own_group
from support.deadlines import scaled, wait_until


def test_each_run_has_a_group_below_the_one_in_which_nightmail_was_started(tmp_path: Path) -> None:
    with own_group() as group:
        system = Nightmail(tmp_path)
        system.start_as_a_user(inside(group))
        try:
            services = set((group / "services" / "cgroup.procs").read_text().split())
            assert system.process is not None
            assert {str(pid) for pid in (system.process.pid, *system.pids().values())} <= services
            file = tmp_path / "data" / "files" / "sales.csv"
            file.parent.mkdir(exist_ok=True)
            file.write_text("region,amount\nnorth,10\n")
            system.create(job_name="in a group")
            run_id = system.run("in a group")
            system.run_when(run_id, "delivered")
            runner = system.pids()["runner-1"]
            wait_until(
                lambda: len(list((group / "runs").glob(f"{runner}-*/*/"))) == 1, "only the waiting worker has a group"
            )

            checks = doctor(system)
            assert checks["control groups"]["detail"].startswith(
                "one for each run, which is killed as a whole and bounds "
            )
        finally:
            system.stop()


def test_doctor_says_why_a_run_has_no_group(nightmail: Nightmail) -> None:
    detail = doctor(nightmail)["control groups"]["detail"]
    assert detail.startswith("none for each run, which has its resource limits only: ")


def doctor(system: Nightmail) -> dict[str, dict[str, str]]:
    answer = subprocess.run(
        [NIGHTMAIL, "doctor", "--json"],
        env=system.environment,
        capture_output=True,
        timeout=scaled(30),
        check=False,
    )
    return {check["name"]: check for check in json.loads(answer.stdout)["checks"]}
