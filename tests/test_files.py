"""Writing aside and renaming: what is in place is whole, whatever happens while it is written."""

import errno
import os
import time

import pytest

from ser_lib.errors import SerError
from ser_lib.files import LEFTOVER_SECONDS, write_file, write_folder


def fill(text: str):
    """Writes a whole folder with that text."""

    def write(folder):
        (folder / "content").write_text(text)
        (folder / "marker").write_text("")

    return write


def fail(problem: BaseException):
    """Writes half a folder, then fails."""

    def write(folder):
        (folder / "content").write_text("half")
        raise problem

    return write


def test_a_folder_is_made_with_its_parents_and_nothing_is_left_aside(tmp_path):
    write_folder(tmp_path / "deep" / "folder", "marker", fill("whole"), "remedy")
    assert (tmp_path / "deep" / "folder" / "content").read_text() == "whole"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["folder"]


@pytest.mark.parametrize("problem", [KeyboardInterrupt(), SerError("bad recording"), ZeroDivisionError()])
def test_a_failure_while_filling_is_passed_on_and_leaves_nothing(tmp_path, problem):
    with pytest.raises(type(problem)):
        write_folder(tmp_path / "folder", "marker", fail(problem), "remedy")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_names_folder_and_remedy_and_leaves_nothing(tmp_path):
    with pytest.raises(SerError, match=rf"{tmp_path}/folder could not be written: .*space.*; make room"):
        write_folder(tmp_path / "folder", "marker", fail(OSError(errno.ENOSPC, "No space left on device")), "make room")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", [True, False])
def test_a_link_in_place_of_the_folder_leads_to_where_it_is_made(tmp_path, there):
    target = tmp_path / "large disk" / "folder"
    (target if there else target.parent).mkdir(parents=True)
    (tmp_path / "link").symlink_to(target)
    write_folder(tmp_path / "link", "marker", fill("whole"), "remedy")
    assert (target / "content").read_text() == "whole" and (tmp_path / "link").is_symlink()
    assert [path.name for path in target.parent.iterdir()] == ["folder"]


def test_a_folder_that_another_process_finished_first_stays(tmp_path):
    def slower(folder):
        write_folder(tmp_path / "folder", "marker", fill("first"), "remedy")
        fill("second")(folder)

    write_folder(tmp_path / "folder", "marker", slower, "remedy")
    assert (tmp_path / "folder" / "content").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_something_else_in_the_way_is_an_error_and_is_not_touched(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "mine").write_text("keep")
    with pytest.raises(SerError, match="could not be written.*remedy"):
        write_folder(tmp_path / "folder", "marker", fill("whole"), "remedy")
    assert [path.name for path in tmp_path.rglob("*")] == ["folder", "mine"]


@pytest.mark.parametrize("write", [write_folder, write_file])
def test_a_place_below_a_file_cannot_be_written(tmp_path, write):
    (tmp_path / "file").write_text("")
    arguments = ("marker",) if write is write_folder else ()
    with pytest.raises(SerError, match=rf"{tmp_path}/file/x could not be written: .*; the remedy"):
        write(tmp_path / "file" / "x", *arguments, lambda aside: aside.write_text(""), "the remedy")


def test_a_file_is_replaced_whole(tmp_path):
    for text in ("first", "second"):
        write_file(tmp_path / "deep" / "file", lambda aside, text=text: aside.write_text(text), "remedy")
    assert (tmp_path / "deep" / "file").read_text() == "second"
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["file"]


@pytest.mark.parametrize("problem", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space left on device")])
def test_a_failure_leaves_the_earlier_file(tmp_path, problem):
    def half(aside):
        aside.write_text("half")
        raise problem

    (tmp_path / "file").write_text("earlier")
    with pytest.raises((KeyboardInterrupt, SerError)):
        write_file(tmp_path / "file", half, "remedy")
    assert (tmp_path / "file").read_text() == "earlier"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_what_a_killed_writer_left_is_removed_a_day_later(tmp_path):
    old, young = tmp_path / ".folder-00000000", tmp_path / ".folder-11111111"
    for aside in (old, young):
        aside.mkdir()
    yesterday = time.time() - LEFTOVER_SECONDS - 60
    os.utime(old, (yesterday, yesterday))
    write_folder(tmp_path / "folder", "marker", fill("whole"), "remedy")
    assert not old.exists() and young.exists()
