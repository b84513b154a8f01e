"""The packages: what `make` installs is one version of each, and one that requirements.txt allows."""

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from ser_lib import paths


def _requirements(name: str) -> list[Requirement]:
    lines = (line.partition("#")[0].strip() for line in (paths.PROJECT / name).read_text().splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-")]


def test_every_package_has_one_version_and_those_named_one_that_is_allowed():
    constraints = _requirements("constraints.txt")
    versions = {canonicalize_name(constraint.name): constraint.specifier for constraint in constraints}
    assert len(versions) == len(constraints)
    assert all([pin.operator for pin in specifier] == ["=="] for specifier in versions.values())
    for requirement in _requirements("requirements.txt"):
        (pin,) = versions[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(pin.version), f"{requirement} excludes {pin.version} of constraints.txt"
