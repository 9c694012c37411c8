"""What the user has set for the plugin in napari's preferences, or the defaults."""

from dataclasses import dataclass, fields

from napari_veinseg.correction.autosave import SECONDS_BETWEEN_SAVES
from napari_veinseg.model.store import STARTER

PLUGIN, GROUP = "napari-veinseg", "veinseg"
"""The plugin's name and the key of its settings in the manifest's `configurations`."""


@dataclass(frozen=True)
class Preferences:
    """The settings of the plugin; the defaults are those of the manifest."""

    model: str = STARTER
    device: str = "auto"
    autosave_seconds: float = SECONDS_BETWEEN_SAVES


def preferences() -> Preferences:
    """Read File > Preferences > Vein segmentation."""
    try:
        from napari.settings import get_plugin_settings

        settings = getattr(get_plugin_settings(PLUGIN), GROUP)
    except (ImportError, KeyError, AttributeError):
        return Preferences()
    return Preferences(
        **{field.name: getattr(settings, field.name) for field in fields(Preferences)}
    )
