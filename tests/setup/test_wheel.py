"""An installed wheel is complete: it carries the catalogue and the CRDs a source checkout reads where they lie."""

import subprocess
import sys
import zipfile

from tests.tidy.sources import ROOT

BUILD = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"


def test_a_built_wheel_carries_catalogue_crds_licence_and_command(tmp_path):
    subprocess.run([sys.executable, "-c", BUILD, str(tmp_path)], cwd=ROOT, check=True, capture_output=True, timeout=120)
    (wheel,) = tmp_path.glob("orchctl-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    manifests = [path.relative_to(ROOT / "manifests") for path in (ROOT / "manifests").rglob("*.yaml")]
    crds = [path.name for path in (ROOT / "crds").glob("*.yaml")]
    assert manifests
    assert {f"orchctl/_catalog/{path}" for path in manifests} <= names
    assert {f"orchctl/_crds/{name}" for name in crds} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if "__pycache__" in name or name.startswith(("tests/", "controller/"))]
    (entry,) = [name for name in names if name.endswith("entry_points.txt")]
    assert "orchctl = orchctl.cli.main:main" in zipfile.ZipFile(wheel).read(entry).decode()
