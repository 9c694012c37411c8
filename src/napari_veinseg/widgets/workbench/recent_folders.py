"""The folders that were worked on last, remembered between sessions."""

import json
import os
from pathlib import Path

from platformdirs import user_config_path

from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import set_aside, write_text
from napari_veinseg.widgets.common.notify import show_warning

FOLDER_VARIABLE = "VEINSEG_CONFIG_DIR"
_KEPT = 8


def recent_folders() -> list[Path]:
    """List the folders that were opened last and still exist, the latest first."""
    return [path for path in _read() or [] if path.is_dir()]


def remember_folder(folder: Path) -> None:
    """Put a folder before all others; a home that cannot be written is no reason to stop."""
    folders = [folder, *(each for each in recent_folders() if each != folder)][:_KEPT]
    try:
        _file().parent.mkdir(parents=True, exist_ok=True)
        if _read() is None:
            kept = set_aside(_file())
            show_warning(f"The list of recent folders was damaged: it begins anew, see {kept}.")
        write_text(_file(), json.dumps([str(each) for each in folders]))
    except (OSError, VeinSegError):
        return


def _read() -> list[Path] | None:
    """Return the folders as they were written; None when that cannot be understood."""
    try:
        names = json.loads(_file().read_text(encoding="utf-8"))
        return [Path(name) for name in names if isinstance(name, str)]
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError):
        return None


def _file() -> Path:
    named = os.environ.get(FOLDER_VARIABLE)
    return (Path(named) if named else user_config_path("napari-veinseg", False)) / "recent.json"
