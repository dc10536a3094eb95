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
