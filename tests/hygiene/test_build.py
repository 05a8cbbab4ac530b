# SPDX-License-Identifier: MIT
"""What the build depends on: no part of an earlier configuration may stay in the programs."""
import os
import pathlib
import re
import subprocess

import pytest

from sources import ROOT

BUILD = pathlib.Path(os.environ.get("TFT_BUILD") or ROOT).resolve()


def is_stale(target, changed):
    """True if make would rebuild it after that file has changed."""
    command = ["make", "-q", "-C", BUILD, "-W", changed, target]
    return subprocess.run(command, capture_output=True, text=True, timeout=60).returncode == 1


def compiled_from(unit):
    """The dependencies of an object according to make."""
    name = pathlib.Path(unit)
    return (BUILD / name.parent / ".deps" / f"{name.name}.Po").read_text()


def test_a_changed_directory_is_compiled_anew():
    """Configured in place and then for production, the programs once looked for their files in the old directories."""
    assert is_stale("gen/paths.h", "Makefile") and not is_stale("gen/paths.h", "Makefile.am")
    assert "gen/paths.h" in compiled_from("src/settings") and "gen/paths.h" in compiled_from("src/main")
    assert "gen/paths.h" not in compiled_from("src/base/buf")


def test_changed_flags_compile_everything_anew():
    assert re.search(r'^#define BUILD_FLAGS ".*-Wall', (BUILD / "config.h").read_text(), re.M)
    assert "config.h" in compiled_from("src/base/buf")


@pytest.fixture(scope="module")
def configure(tmp_path_factory):
    """Runs configure in a separate directory, with a pkg-config that knows no cmocka."""
    source = (BUILD / re.search(r"^top_srcdir = (.*)$", (BUILD / "Makefile").read_text(), re.M)[1]).resolve()
    if (source / "config.status").exists():
        pytest.skip("the sources are configured in place, which excludes a second build directory")
    directory = tmp_path_factory.mktemp("configure")
    pkg_config = directory / "pkg-config"
    pkg_config.write_text('#!/bin/sh\ncase "$*" in *cmocka*) exit 1 ;; esac\nexec pkg-config "$@"\n')
    pkg_config.chmod(0o755)

    def run(*options):
        command = [source / "configure", f"PKG_CONFIG={pkg_config}", "-C", *options]
        return subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=120)

    return run


def test_a_developer_build_without_unit_tests_is_refused(configure):
    result = configure("--enable-developer")
    assert result.returncode != 0 and "cmocka (Debian: libcmocka-dev) is missing" in result.stderr


def test_configure_and_make_check_say_that_there_are_no_unit_tests(configure):
    result = configure()
    assert result.returncode == 0, result.stderr
    assert "NONE OF THE UNIT TESTS" in result.stderr.splitlines()[-1]


def test_an_unreachable_registry_is_reported_soon_with_a_workaround(tmp_path):
    env = {**os.environ, "npm_config_registry": "http://127.0.0.1:9/", "npm_config_cache": str(tmp_path / "cache")}
    command = ["sh", ROOT / "nginx" / "third-party.sh", ROOT / "nginx", tmp_path / "out"]
    result = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30)
    assert result.returncode != 0
    assert result.stderr.splitlines()[-1] == (
        "third-party.sh: npm could not fetch the browser libraries (can this machine reach its registry?); "
        "a release tarball contains them and needs no npm")
