"""Named models: those inside the package, and the user's own in a data folder."""

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import atomic_path, locked, opening, user_folder, writing
from napari_veinseg.model.file import read_model
from napari_veinseg.model.names import checked_name

STARTER = "starter"
FOREARM = "forearm"
FOLDER_VARIABLE = "VEINSEG_MODELS"
"""Environment variable that names another folder for the models."""

_SUFFIX = ".safetensors"
_SHIPPED = {
    name: path
    for name in (STARTER, FOREARM)
    if (path := Path(__file__).with_name(name + _SUFFIX)).exists()
}


@dataclass(frozen=True)
class InstalledModel:
    """A model that can be loaded by its name; one that is `shipped` cannot be removed."""

    name: str
    path: Path
    shipped: bool = False


def models_folder() -> Path:
    """Return the folder of the imported models; it need not exist."""
    return user_folder("models", FOLDER_VARIABLE)


def installed_models() -> list[InstalledModel]:
    """List the models that have a name, the starter first, the user's own last.

    Of two of one name the user's own: it may be older than the one that ships.
    """
    paths = sorted(models_folder().glob(f"[!.]*{_SUFFIX}"))
    own = [InstalledModel(path.stem, path) for path in paths if path.stem != STARTER]
    names = {model.name for model in own}
    shipped = [
        InstalledModel(name, path, True) for name, path in _SHIPPED.items() if name not in names
    ]
    return shipped + own


def resolve(name_or_path: str | Path) -> Path:
    """Find a model's file by its path, or its name, which wins over a file without a suffix."""
    models = installed_models()
    for model in models:
        if str(name_or_path) == model.name:
            return model.path
    path = Path(name_or_path).expanduser()
    if path.is_file():
        return path
    known = ", ".join(model.name for model in models) or "none"
    raise VeinSegError(
        f"There is no model {str(name_or_path)!r}: give the path of a model file or a name "
        f"(installed: {known})."
    )


def model_bytes(path: Path) -> bytes:
    """Read a model file as it is."""
    with opening(path):
        return path.read_bytes()


def model_digest(path: Path) -> str:
    """Hash what a model file holds at this moment, by SHA-256."""
    with opening(path), path.open("rb") as file:  # in parts: it may be no model, and of any size
        return hashlib.file_digest(file, "sha256").hexdigest()


def import_model(
    path: str | Path, name: str | None = None, *, replace: bool = False
) -> InstalledModel:
    """Check a model file and copy it into the models folder, by default under its own name.

    Raise VeinSegError if the file is no sound model, or the name is taken, looks like one that is,
    or is not plain.
    """
    path = Path(path).expanduser()
    taken = [STARTER, *(model.name for model in installed_models())]
    name = checked_name(path.stem if name is None else name, taken)
    if name in {STARTER, *_SHIPPED}:
        raise VeinSegError(f"The model {name!r} belongs to the package: choose another name.")
    read_model(path)
    target = models_folder() / (name + _SUFFIX)
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with locked(target.parent):
            if target.exists() and not replace:
                raise VeinSegError(
                    f"A model called {name!r} exists: choose another name or remove it first."
                )
            with atomic_path(target) as temporary:
                shutil.copyfile(path, temporary)
    return InstalledModel(name, target)


def remove_model(name: str) -> None:
    """Delete an imported model.

    Raise VeinSegError if there is no such model, it belongs to the package or cannot be deleted.
    """
    model = next((model for model in installed_models() if model.name == name), None)
    if model is None:
        raise VeinSegError(f"There is no model {name!r} to remove: see `veinseg models list`.")
    if model.shipped:
        raise VeinSegError(f"The model {name!r} belongs to the package and stays.")
    try:
        model.path.unlink()
    except OSError as error:
        raise VeinSegError(
            f"{model.path} was not removed ({error.strerror}): check rights, and close what uses "
            "it."
        ) from error
