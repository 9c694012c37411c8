"""`veinseg devices`."""

import typer

from napari_veinseg.cli.app import app


@app.command()
def devices() -> None:
    """Show the device that segments and trains here, and why."""
    import torch

    from napari_veinseg.segmentation.devices import choose_device

    typer.echo(f"Used: {choose_device('auto')}")
    for index in range(torch.cuda.device_count()):
        typer.echo(f"cuda:{index}: {torch.cuda.get_device_name(index)}")
    typer.echo(f"cpu: {torch.get_num_threads()} threads, torch {torch.__version__}")
