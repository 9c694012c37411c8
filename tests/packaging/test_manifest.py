"""The manifest: what napari is promised is there."""

from pathlib import Path

import npe2

import napari_veinseg

MANIFEST = Path(napari_veinseg.__file__).with_name("napari.yaml")


def test_npe2_finds_the_manifest_sound_and_every_command_there():
    manifest = npe2.PluginManifest.from_file(MANIFEST)
    manifest.validate_imports()
    assert manifest.name == "napari-veinseg"
    commands = {command.id for command in manifest.contributions.commands}
    assert commands
    for widget in manifest.contributions.widgets:
        assert widget.command in commands
