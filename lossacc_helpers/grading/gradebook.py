"""nbgrader's side: a course folder of its own, its gradebook, its feedback and its export."""

import contextlib
import logging
import os
import shutil
import sysconfig
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.converters import GenerateAssignment, GenerateFeedback
from nbgrader.coursedir import CourseDirectory
from nbgrader.plugins.export import CsvExportPlugin
from nbgrader.utils import parse_utc
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

CONFIG = "nbgrader_config.py"
UNMARKED = "Not marked yet: the points above are not final."
_PATIENCE = 5.0  # seconds
_COMPLETE = ".complete"  # beside a page of feedback that was written to its end

_FIRST_CONFIG = '''"""nbgrader's settings for this course; written once, and yours to change."""

c = get_config()  # noqa: F821  # nbgrader gives it

# The gradebook is a file, gradebook.db. For PostgreSQL (pip install "psycopg[binary]"):
# c.CourseDirectory.db_url = "postgresql://user:password@host:5432/gradebook"
c.CourseDirectory.course_id = "loss-versus-accuracy"

# What learners wrote is shown in your browser, and their HTML may carry scripts.
c.TemplateExporter.filters = {"markdown2html": "lossacc_helpers.grading.gradebook.safe_markdown"}

# What a learner finds where the solution was.
c.ClearSolutions.code_stub = {"python": "pass  # write your code here"}
c.ClearSolutions.text_stub = "*Write your answer here.*"
'''


class GradebookError(Exception):
    """nbgrader refused; the message says what, and what to do."""


# nbgrader starts the command alembic, by name, when it makes a gradebook.
_SCRIPTS = sysconfig.get_path("scripts")
if _SCRIPTS not in os.environ.get("PATH", "").split(os.pathsep):
    os.environ["PATH"] = os.pathsep.join([_SCRIPTS, os.environ.get("PATH", os.defpath)])


class Course:
    """An nbgrader course folder.

    Parameters
    ----------
    folder : is made, with nbgrader's settings, if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / CONFIG
        if not config.exists():
            replace(config, _FIRST_CONFIG)

    def release(self, name: str, source: NotebookNode) -> NotebookNode:
        """Make an assignment known to the gradebook, and return the version for learners.

        Raises
        ------
        GradebookError
            If nbgrader refuses: above all, cells cannot come or go once something was handed in.
        """
        place = self.folder / "source" / name
        place.mkdir(parents=True, exist_ok=True)
        nbformat.write(source, place / f"{name}.ipynb")
        with _quiet() as said:
            try:
                directory = self._directory(assignment_id=name)
                GenerateAssignment(coursedir=directory, parent=None, config=self._config(), force=True).start()
            except (Exception, SystemExit) as error:
                raise GradebookError(
                    f"nbgrader could not release {name}: {error or 'see below'}\n{said.text()}"
                    f"Cells of an assignment cannot come or go once something was handed in: "
                    f"grade into a new folder, or remove the old submissions there first."
                ) from None
        return nbformat.read(self.folder / "release" / name / f"{name}.ipynb", as_version=4)

    @contextmanager
    def gradebook(self) -> Iterator[Gradebook]:
        """Open the gradebook that the settings name."""
        directory = self._directory()
        with Gradebook(directory.db_url, directory.course_id) as gradebook:
            yield gradebook

    def record(
        self,
        gradebook: Gradebook,
        assignment: str,
        student: str,
        *,
        scores: dict[str, float | None],
        comments: dict[str, str | None],
        unsettled: set[str],
        timestamp: datetime | None = None,
    ) -> None:
        """Write what a program marked; what a person has marked stays. Feedback that is no longer true is removed.

        Parameters
        ----------
        gradebook : opened by `gradebook`.
        assignment, student : which submission; both are made known if they are not.
        scores : by nbgrader's id of the cell that is graded; None where only a person can mark.
        comments : by the id of the cell that was written in; None where there is nothing to say.
        unsettled : ids of graded cells that a person must look at.
        timestamp : when it was handed in.
        """
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nbgrader asks questions half-way that SQLAlchemy 2 warns of
            gradebook.update_or_create_student(student)
            known = {} if timestamp is None else {"timestamp": timestamp}
            gradebook.update_or_create_submission(assignment, student, **known)
        changed = False
        for name, score in scores.items():
            grade = gradebook.find_grade(name, assignment, assignment, student)
            other = grade.auto_score != score
            grade.auto_score = score
            # Marked by hand, and the program now says something else: to be looked at once more.
            needs = (
                score is None or name in unsettled if grade.manual_score is None else grade.needs_manual_grade or other
            )
            changed = changed or other or grade.needs_manual_grade != needs
            grade.needs_manual_grade = needs
        for name, comment in comments.items():
            if (
                comment == UNMARKED
                and gradebook.find_grade(name, assignment, assignment, student).manual_score is not None
            ):
                comment = None
            found = gradebook.find_comment(name, assignment, assignment, student)
            changed = changed or found.auto_comment != comment
            found.auto_comment = comment
        if changed:
            self._outdate(student, assignment)
        gradebook.db.commit()

    def _outdate(self, student: str, assignment: str) -> None:
        shutil.rmtree(self.folder / "feedback" / student / assignment, ignore_errors=True)

    def collect(self, student: str, assignment: str, file: Path) -> None:
        """Copy what was handed in to where nbgrader counts submissions, unless it already lies there."""
        place = self.folder / "submitted" / student / assignment
        if file.resolve().parent == place:
            return
        place.mkdir(parents=True, exist_ok=True)
        for name, path in (f"{assignment}.ipynb", file), ("timestamp.txt", file.parent / "timestamp.txt"):
            if path.is_file() and not path.is_symlink():
                shutil.copyfile(path, place / f"{name}.unfinished")
                os.replace(place / f"{name}.unfinished", place / name)

    def place(self, student: str, assignment: str, notebook: NotebookNode, *, timestamp: str | None = None) -> Path:
        """Write the notebook that nbgrader shows for marking by hand and turns into feedback, unless it is there."""
        path = self.folder / "autograded" / student / assignment / f"{assignment}.ipynb"
        text = nbformat.writes(notebook)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._outdate(student, assignment)
        if timestamp:
            replace(path.with_name("timestamp.txt"), timestamp)
        replace(path, text)
        return path

    def feedback(self, assignment: str, *, force: bool = False) -> list[str]:
        """Write the HTML that learners get, for whoever has none yet, or with `force` for all.

        Returns the students for whom nbgrader could not.
        """
        self._forget_unmarked(assignment)
        students = sorted(path.parts[-3] for path in (self.folder / "autograded").glob(f"*/{assignment}/*.ipynb"))
        places = {student: self.folder / "feedback" / student / assignment for student in students}
        for place in places.values():
            if force or not (place / _COMPLETE).exists():  # half a page stays where nbgrader was killed
                shutil.rmtree(place, ignore_errors=True)
        if all(place.exists() for place in places.values()):
            return []
        with _quiet(), contextlib.suppress(Exception, SystemExit):  # it goes on after a failure, and raises at the end
            directory = self._directory(assignment_id=assignment, student_id="*")
            GenerateFeedback(coursedir=directory, parent=None, config=self._config()).start()
        failed = []
        for student, place in places.items():
            if (place / f"{assignment}.html").exists():
                (place / _COMPLETE).touch()
            else:
                failed.append(student)
        return failed

    def _forget_unmarked(self, assignment: str) -> None:
        """Take "not marked yet" from the answers that have been marked by hand."""
        with self.gradebook() as gradebook:
            for submission in gradebook.assignment_submissions(assignment):
                for notebook in submission.notebooks:
                    marked = {grade.cell.name for grade in notebook.grades if grade.manual_score is not None}
                    for comment in notebook.comments:
                        if comment.auto_comment == UNMARKED and comment.name in marked:
                            comment.auto_comment = None
            gradebook.db.commit()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other gradings out of the folder.

        Raises
        ------
        GradebookError
            If another one is at work there.
        """
        import fcntl  # which Windows has not

        with (self.folder / ".lock").open("w") as file:
            # What a grading that was killed had begun to start holds its lock for a moment longer than itself.
            patience = time.monotonic() + _PATIENCE
            while True:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError:
                    if time.monotonic() > patience:
                        told = f"another grading is at work in {self.folder}; wait for its end"
                        raise GradebookError(told) from None
                    time.sleep(0.1)
            yield

    def marked(self) -> set[tuple[str, str]]:
        """Return whose submissions of what the gradebook knows."""
        with self.gradebook() as gradebook:
            return {
                (submission.student.id, assignment.name)
                for assignment in gradebook.assignments
                for submission in assignment.submissions
            }

    def export(self) -> Path:
        """Write the marks of all assignments as nbgrader's CSV, and return the file."""
        path = self.folder / "grades.csv"
        unfinished = path.with_suffix(".unfinished")
        with self.gradebook() as gradebook, _quiet():
            CsvExportPlugin(to=str(unfinished)).export(gradebook)
        os.replace(unfinished, path)
        return path

    def _config(self) -> Config:
        config = PyFileConfigLoader(CONFIG, path=str(self.folder)).load_config()
        config.CourseDirectory.setdefault("root", str(self.folder))
        return config

    def _directory(self, **names: str) -> CourseDirectory:
        return CourseDirectory(config=self._config(), **names)


def safe_markdown(source: str) -> str:
    """Return Markdown as HTML in which HTML of the writer's own is only text; nbgrader's pages use it."""
    plain = source.replace("\\href", "\\mathrm")  # a link that MathJax would make
    return str(MarkdownWithMath(renderer=IPythonRenderer(escape=True, allow_harmful_protocols=False)).render(plain))


def read_timestamp(folder: Path) -> tuple[str | None, datetime | None]:
    """Return when a submission was handed in, as nbgrader's timestamp.txt says, as text and as a time."""
    path = folder / "timestamp.txt"
    try:
        if path.is_symlink() or not path.is_file() or path.stat().st_size > 100:
            return None, None
        text = path.read_text(encoding="utf-8").strip()
        return text, parse_utc(text)
    except (OSError, ValueError, TypeError, OverflowError):
        return None, None


def replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    unfinished = path.with_suffix(".unfinished")
    unfinished.write_text(text, encoding="utf-8")
    os.replace(unfinished, path)


class _Said(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())

    def text(self) -> str:
        return "".join(f"{line}\n" for line in self.lines[-5:])


@contextmanager
def _quiet() -> Iterator[_Said]:
    """Keep what nbgrader's converters log from the terminal."""
    said = _Said()
    logger = logging.getLogger("traitlets")
    before: Any = logger.handlers[:], logger.propagate, logger.level
    logger.handlers, logger.propagate, logger.level = [said], False, logging.WARNING
    try:
        yield said
    finally:
        logger.handlers, logger.propagate, logger.level = before


__all__ = ["CONFIG", "UNMARKED", "Course", "GradebookError", "read_timestamp", "replace", "safe_markdown"]
