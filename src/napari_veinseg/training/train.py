"""Training as one call, in this process."""

import gc
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Annotated, Any

from pydantic import ValidationError

from napari_veinseg.data.dataset import Dataset
from napari_veinseg.errors import VeinSegError
from napari_veinseg.files import check_output_folder, sweep
from napari_veinseg.training.config import TrainingConfig
from napari_veinseg.training.run_folder import Run


def train(
    dataset: str | Path | Dataset,
    *,
    output: str | Path | None = None,
    base: str | Path | None = "starter",
    minutes: float | None = None,
    epochs: int | None = None,
    run: str | Path | None = None,
    on_event: Callable[[dict[str, Any]], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    **settings: Any,
) -> Run:
    """Train a model on a dataset.

    Parameters
    ----------
    dataset : str or Path or Dataset
        A folder of `images/` and `masks/`; the split is written to its `samples.csv`.
    output : str or Path, optional
        Where to copy the best model.
    base : str or Path or None, optional
        Name or path of the model to start from; None starts from random weights.
    minutes, epochs : float or int, optional
        The budget, one of the two; 5 minutes by default.
    run : str or Path, optional
        Folder for the run, new or empty; by default one in the user's data folder.
    on_event : callable, optional
        Called with each event, see `training.events`.
    should_stop : callable, optional
        Asked before each step; True ends the run and keeps what it has learned.
    **settings : Any
        More fields of `TrainingConfig`, such as `augmentation` and `seed`.

    Returns
    -------
    Run
        The finished run; `run.model()` is the best model: the one that the run started from where
        the hold-out says that no epoch did better.

    Examples
    --------
    >>> from napari_veinseg import train
    >>> model = train("my_dataset", minutes=2).model()  # doctest: +SKIP
    """
    check_output(output)
    config = configure(dataset, base=base, minutes=minutes, epochs=epochs, **settings)
    return go_on(start(run, config), output, on_event, should_stop)


def configure(
    dataset: str | Path | Dataset,
    *,
    base: str | Path | None = "starter",
    minutes: Annotated[float, "budget"] | None = None,
    epochs: int | None = None,
    watch: bool = False,
    **settings: Any,
) -> TrainingConfig:
    """Make a checked config that holds in any working folder; see `train` for the arguments.

    One that watches follows the dataset without an end, see `training.continual`.
    """
    try:
        return TrainingConfig(
            dataset=Path(dataset.path if isinstance(dataset, Dataset) else dataset).absolute(),
            base=_absolute(base),
            minutes=5.0 if minutes is None and epochs is None and not watch else minutes,
            epochs=epochs,
            watch=watch,
            **settings,
        )
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise VeinSegError(
            f"The training cannot start{f' ({field})' if field else ''}: {reason}."
        ) from error


def start(folder: str | Path | None, config: TrainingConfig) -> Run:
    """Make the folder of a run; of several processes that torchrun started, the first one does."""
    Dataset.open(config.dataset, config.finger_pattern)  # before a folder is made for nothing
    if _rank() == 0:
        return Run.create(folder, config)
    if folder is None:
        raise VeinSegError("Several processes train together: give them one --run-folder.")
    for _ in range(600):
        if (Path(folder) / "config.json").exists():
            return Run.open(folder)
        time.sleep(0.1)
    raise VeinSegError(f"The first process has made no run in {folder}: see what it says.")


def go_on(
    run: Run,
    output: str | Path | None = None,
    on_event: Callable[[dict[str, Any]], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Run:
    """Train a run, new, stopped or killed, to its end, from where it stands; see `train`."""
    check_output(output)
    tell, stop = on_event or (lambda _event: None), should_stop or (lambda: False)
    is_first = _rank() == 0
    with run.locked() if is_first else nullcontext():
        with _failure_told(run):
            run.reopen()
            sweep(run.path)
            Dataset.open(run.config.dataset, run.config.finger_pattern)  # before torch is loaded
            with without_collecting():
                from napari_veinseg.training.continual import run_watching
                from napari_veinseg.training.loop import run_training

            if run.config.watch:
                run_watching(run, tell, stop, Path(output) if output else None)
            else:
                run_training(run, tell, stop)
        if is_first and output is not None and not run.config.watch:  # which keeps it up to date
            run.save_result(output)
    return run


@contextmanager
def _failure_told(run: Run) -> Iterator[None]:
    """Let the events of a run end with what went wrong."""
    try:
        try:
            yield
        except OSError as error:
            raise VeinSegError(
                f"{run.path} was not written ({error.strerror or error}): make room, then resume "
                "it."
            ) from error
    except VeinSegError as error:
        if _rank() == 0:
            with suppress(OSError):  # on a full disk there is no room for the last words either
                run.tell({"event": "end", "reason": "failed", "text": str(error)})
        raise


def check_output(output: str | Path | None) -> None:
    """Refuse a place for the model that cannot be written, before the work and not after it.

    Raise VeinSegError if its name has the wrong ending, or its folder does not exist or cannot be
    written.
    """
    if output is None:
        return
    output = Path(output)
    if output.suffix != ".safetensors":
        raise VeinSegError(f"{output} is no name for a model: let it end in .safetensors.")
    check_output_folder(output.parent)
    if not output.absolute().parent.is_dir():
        raise VeinSegError(f"The folder of {output} does not exist: make it first.")


@contextmanager
def without_collecting() -> Iterator[None]:
    """Load torch and MONAI in a fifth less time: what they make stays, none of it is garbage."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def _absolute(base: str | Path | None) -> str | None:
    """Keep the path of a model whole: a run may be resumed from another folder."""
    if base is None:
        return None
    path = Path(base).expanduser()
    return str(path.absolute()) if path.is_file() else str(base)


def _rank() -> int:
    return int(os.environ.get("RANK", "0"))
