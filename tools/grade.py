"""Grade a folder of submissions into an nbgrader course folder; `make grade SUBMISSIONS=dir OUT=dir`.

python -m tools.grade SUBMISSIONS OUT             grade what is new, and write marks, feedback and the report
python -m tools.grade --feedback OUT              write marks and feedback anew after marking by hand
python -m tools.grade --course OUT                only make the course folder, to release from it with nbgrader
"""

import argparse
import hashlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from lossacc_helpers.grading import batch
from lossacc_helpers.grading.gradebook import Course, GradebookError
from lossacc_helpers.grading.sandbox import NoSandbox, Sandbox
from tools.coursework import COURSEWORK, assignments, load_key, read_source
from tools.lessons import ROOT


def version() -> str:
    """Return a text that changes when the questions do, or the package, by which they are run and judged."""
    paths = sorted([*(COURSEWORK / "keys").glob("*.py"), *(ROOT / "lossacc_helpers").rglob("*.py")])
    parts = [part for path in paths for part in (str(path.relative_to(ROOT)).encode(), path.read_bytes())]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def main(arguments: Sequence[str] | None = None) -> int:
    """Grade what the command line names; 1 if that cannot be, which is printed."""
    parser = argparse.ArgumentParser(prog="python -m tools.grade", description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path, metavar="SUBMISSIONS OUT", help="two folders")
    parser.add_argument("--course", action="store_true", help="grade nothing; one folder, OUT")
    parser.add_argument("--feedback", action="store_true", help="grade nothing; one folder, OUT")
    parser.add_argument(
        "--unsafe", action="store_true", help="run submissions as your own processes: only if you trust them"
    )
    parser.add_argument("--seed", type=int, help="with which hidden inputs are drawn; else OUT keeps one of its own")
    parser.add_argument("--jobs", type=int, help="how many at a time; else as many as there are cores")
    options = parser.parse_args(arguments)
    alone = options.feedback or options.course
    if len(options.folders) != (1 if alone else 2):
        parser.error("name one folder: OUT" if alone else "name two folders: SUBMISSIONS and OUT")
    if options.seed is not None and options.seed < 0:
        parser.error(f"--seed must be at least 0, got {options.seed}")
    if options.jobs is not None and options.jobs < 1:
        parser.error(f"--jobs must be at least 1, got {options.jobs}")
    try:
        if options.feedback:
            return _feedback(options.folders[0])
        if options.course:
            course = Course(options.folders[0])
            with course.alone():
                for name in assignments():
                    course.release(name, read_source(name))
                    print(course.folder / "release" / name / f"{name}.ipynb")
            return 0
        submissions, out = (path.resolve() for path in options.folders)
        if out == submissions:
            parser.error("SUBMISSIONS and OUT must be two folders")
        began = time.monotonic()
        used = {each.assignment for each in batch.find(submissions, assignments())[0]}
        keys = {name: (load_key(name), read_source(name)) for name in sorted(used)}
        told: list[str] = []
        screen = sys.stdout

        def tell(line: str) -> None:
            told.append(line)
            print(line, file=screen, flush=True)  # while answers are judged, what is printed elsewhere is caught

        with Sandbox(unsafe=options.unsafe) as sandbox:
            report = batch.grade_folder(
                submissions,
                out,
                keys,
                sandbox,
                known=assignments(),
                version=version(),
                seed=options.seed,
                jobs=options.jobs,
                tell=tell,
            )
        minutes = (time.monotonic() - began) / 60
        counted = "1 submission" if len(told) == 1 else f"{len(told)} submissions"
        print(f"{counted} in {minutes:.1f} minutes; read {report} first, then grades.csv beside it")
    except NoSandbox as reason:
        print(
            f"Nothing was graded: {reason}.\n--unsafe (make grade ... UNSAFE=1) grades without a sandbox: "
            "a submission can then read and change whatever you can.",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        print("Stopped. What is done is kept; the same command goes on from there.", file=sys.stderr)
        return 130
    except (ValueError, GradebookError, OSError) as error:
        print(f"{error}", file=sys.stderr)
        return 1
    return 0


def _feedback(out: Path) -> int:
    if not (out / "gradebook.db").exists() and not (out / "outcomes").exists():
        print(f"nothing has been graded into {out}", file=sys.stderr)
        return 1
    course = Course(out)
    with course.alone():
        failed = [f"{student}, {name}" for name in assignments() for student in course.feedback(name, force=True)]
        print(f"{course.export()} and {course.folder / 'feedback'}")
    for each in failed:
        print(f"nbgrader could not write feedback for {each}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
