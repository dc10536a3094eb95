"""Fixtures that all end-to-end tests share."""

import itertools
import os
import pathlib
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import advisories  # noqa: E402
import imagekit  # noqa: E402
import scanner  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes minutes, or needs root and the network")
    if not pathlib.Path(scanner.binary()).is_file():
        pytest.exit(f"{scanner.binary()} is not there: build it first, or name another with PLIMSOLL", 4)


@pytest.fixture(scope="session")
def make_store(tmp_path_factory):
    """make_store(records, *more paths) imports hand-written advisories and gives the store's path."""
    def make(records, *paths):
        folder = tmp_path_factory.mktemp("store")
        sources = [advisories.write(folder / "osv", records)] if records else []
        store = folder / "store.db"
        done = scanner.run("db", "import", "--db", store, *sources, *paths)
        assert done.code == 0, done
        assert store.is_file(), "db import has not made the store"
        return store
    return make


@pytest.fixture(scope="session")
def store(make_store):
    """The store of advisories.STANDARD."""
    return make_store(advisories.STANDARD)


@pytest.fixture
def scan_layers(tmp_path, store):
    """scan_layers([entries], [entries], …) scans an image of these layers (docker-archive)."""
    numbers = itertools.count()

    def scan(*layers, args=(), db=store, image=None, **more):
        image = image or imagekit.image_of(*layers, **more)
        path = imagekit.write_archive(tmp_path / f"image{next(numbers)}.tar", imagekit.files_docker_old(image))
        return scanner.scan(path, *args, db=db)
    return scan


# What the sanitizer run takes whole: its inputs are hostile. Of the other modules' larger tables it takes
# every fourth row, and of those that scan hundreds of times what is below nothing (the unit tests and the fuzz
# targets of cache and policy run under the sanitizers), so that CI ends in time. The plain run takes them all.
WHOLE = {"test_hostile", "test_secrets", "test_sbom", "test_attached_sbom", "test_vex", "test_ignore", "test_formats",
         "test_evasion", "test_store", "test_conda", "test_dpkg", "test_python", "test_schema"}
LEFT_OUT = {("test_cache_scans", None), ("test_cache_race", None), ("test_gate", "test_table")}
LARGE, EVERY = 8, 4


def pytest_collection_modifyitems(config, items):
    if not os.environ.get("PLIMSOLL_SANITIZED"):
        return
    rows = {}
    for item in items:
        if item.module.__name__ not in WHOLE:
            rows.setdefault((item.module.__name__, item.originalname), []).append(item)
    left_out = {id(item) for table in rows.values() if len(table) > LARGE
                for i, item in enumerate(table) if i % EVERY}
    left_out |= {id(item) for item in items
                 if {(item.module.__name__, None), (item.module.__name__, item.originalname)} & LEFT_OUT}
    config.hook.pytest_deselected(items=[item for item in items if id(item) in left_out])
    items[:] = [item for item in items if id(item) not in left_out]
